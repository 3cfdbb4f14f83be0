"""The columns of a NumPy archive."""

from __future__ import annotations

import numpy as np

from audit_pipeline.data.values import Values
from audit_pipeline.npz import NpzArrays


class NpzColumns(NpzArrays):
    """The arrays of a .npz file, of which those of one dimension may be columns of values."""

    def values(self, name: str) -> Values:
        """A one-dimensional array of text, numbers or dates.

        Raises:
            ValueError: it is damaged, has more dimensions, or holds anything else.
        """
        array = self.array(name)
        if array.ndim != 1:
            raise ValueError(f"array {name} has shape {array.shape}, but must have one value a row (not one-hot)")
        if array.dtype.kind not in "biufUSM":
            raise ValueError(f"array {name} holds {array.dtype}, not text or numbers")
        kinds, which = np.unique(array, return_inverse=True)
        try:
            return Values.of(list(kinds), np.asarray(which, dtype=np.int64))
        except ValueError as error:
            raise ValueError(f"array {name}: {error}") from error
