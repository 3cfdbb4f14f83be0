"""Work that processes can be given without TensorFlow: quick to import, and it does what a test wants of it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.errors import InputError


@dataclass(frozen=True)
class Stub:
    """Four pieces of work."""

    x: NDArray[np.float32]
    does: str = "sum"
    folder: Path = Path()
    count: int = 4

    def with_inputs(self, x: NDArray[np.float32]) -> Stub:
        return replace(self, x=x)

    def carry_out(self, number: int) -> tuple[int, float]:
        if self.does == "fail" and number == 1:
            raise InputError("stub.fails", "no such thing", where="here:2", hint="do otherwise")
        if self.does == "die" and number == 1:
            os._exit(7)
        if self.does == "wait":
            (self.folder / f"pid-{os.getpid()}").touch()
            time.sleep(60)
        return number, float(self.x[number].sum())
