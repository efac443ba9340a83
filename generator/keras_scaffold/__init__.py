"""Start multi-input Keras projects, and keep them current."""

__version__ = "0.1.0"
