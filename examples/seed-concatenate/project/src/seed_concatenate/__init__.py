"""The project's package: `python -m seed_concatenate --help` lists its commands."""

TITLE = "Seed Concatenate"
