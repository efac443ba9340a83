"""Layers that Keras does not have. Registered, so that a saved model loads without help."""

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("stock_story")
class PiecewiseLinear(layers.Layer):
    """Each of N numbers, and its position within each of K bins: (batch, N) -> (batch, N + N K).

    Dense layers then learn steps and kinks anywhere. The edges of the bins are quantiles of the
    training rows, which compile_model sets. Gorishniy et al., https://arxiv.org/abs/2203.05556.
    """

    def __init__(self, numbers: int, bins: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.numbers = numbers
        self.bins = bins

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the edges, two for each bin, shared with its neighbours."""
        shape = (self.numbers, self.bins + 1)
        self.edges = self.add_weight(shape, "zeros", trainable=False, name="edges")

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Compute the share of each bin that lies below the number, 0 to 1."""
        numbers, others = inputs[:, : self.numbers], inputs[:, self.numbers :]
        edges = ops.cast(self.edges, inputs.dtype)
        left, width = edges[:, :-1], edges[:, 1:] - edges[:, :-1]
        shares = (ops.expand_dims(numbers, -1) - left) / ops.where(width > 0, width, 1)
        shares = ops.where(width > 0, ops.clip(shares, 0, 1), 0)  # (batch, N, K)
        shares = ops.reshape(shares, (-1, self.numbers * self.bins))
        moderate = numbers / ops.sqrt(1 + ops.square(numbers / 3))  # an outlier is at most 3
        return ops.concatenate([moderate, shares, others], axis=-1)

    def get_config(self) -> dict[str, Any]:
        """What is needed to make PiecewiseLinear again when a model is loaded."""
        return {**super().get_config(), "numbers": self.numbers, "bins": self.bins}
