"""`python -m keras_scaffold`, the same as `scaffold`."""

from keras_scaffold.cli import main

main()
