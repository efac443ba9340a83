"""The command line `scaffold`: `main` declares it, `commands` and `project_commands` do the work."""

from keras_scaffold.cli.main import main, run

__all__ = ["main", "run"]
