"""Start multi-input Keras projects, and keep them current."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    __version__: str


def __getattr__(name: str) -> str:
    """`__version__`: found out when somebody asks, as a checkout has to ask git."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from keras_scaffold.source import version

    return version()
