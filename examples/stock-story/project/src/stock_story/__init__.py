"""The project's package: `python -m stock_story --help` lists its commands."""

TITLE = "Stock Story"
