"""The project's package: `python -m seed_two_lstms --help` lists its commands."""

TITLE = "Seed Two LSTMs"
