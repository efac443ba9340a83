"""Looking at a person's data, and proposing a spec for it.

`tables` opens what people have and takes a sample, `columns` says what each column is, `propose`
makes a spec of that. Nothing here prints, and it is imported only where data is looked at: polars and
numpy take a moment.
"""

from keras_scaffold.infer.overrides import Overrides
from keras_scaffold.infer.propose import Inspection, inspect

__all__ = ["Inspection", "Overrides", "inspect"]
