"""Sets of channels that can only go together, joined as the graph is read."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
"""Numbers of channels; equal numbers are the same channel seen from two places."""


class Partition:
    """Disjoint sets of channels (Tarjan 1975: union by the smaller number, with path halving).

    A set with a reason is pinned: something depends on all of its channels being there.
    """

    def __init__(self) -> None:
        self._parent: list[int] = []
        self._reasons: dict[int, str] = {}

    def fresh(self, count: int, reason: str | None = None) -> Ids:
        """New channels, each a set of its own, pinned where there is a reason."""
        first = len(self._parent)
        self._parent.extend(range(first, first + count))
        ids = np.arange(first, first + count, dtype=np.int64)
        if reason is not None:
            self.pin(ids, reason)
        return ids

    def tie(self, some: Ids, others: Ids) -> None:
        """Join the sets of channels at equal places of two arrays of one shape."""
        pairs = np.unique(np.stack([some.ravel(), others.ravel()], axis=1), axis=0)
        for one, other in pairs:
            kept, joined = sorted((self._root(int(one)), self._root(int(other))))
            if kept != joined:
                self._parent[joined] = kept
                if (reason := self._reasons.pop(joined, None)) is not None:
                    self._reasons.setdefault(kept, reason)

    def pin(self, ids: Ids, reason: str) -> None:
        """Keep these channels, and all that are or will be joined to them; the first reason stands."""
        for channel in np.unique(ids):
            self._reasons.setdefault(self._root(int(channel)), reason)

    def roots(self, ids: Ids) -> Ids:
        """The number that stands for each channel's set, in the shape of `ids`."""
        kinds, places = np.unique(ids, return_inverse=True)
        return np.array([self._root(int(kind)) for kind in kinds], dtype=np.int64)[places].reshape(ids.shape)

    def reason(self, ids: Iterable[int]) -> str | None:
        """Why the first pinned one of these channels is pinned; None where none is."""
        return next((self._reasons[root] for root in map(self._root, ids) if root in self._reasons), None)

    def is_pinned(self, channel: int) -> bool:
        """Whether this channel must stay."""
        return self._root(channel) in self._reasons

    def _root(self, channel: int) -> int:
        parent = self._parent
        while parent[channel] != channel:
            parent[channel] = parent[parent[channel]]
            channel = parent[channel]
        return channel
