"""The project's package: `python -m seed_multiply --help` lists its commands."""

TITLE = "Seed Multiply"
