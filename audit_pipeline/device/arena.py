"""What tflite-micro says of a candidate: missing kernels, and the bytes of tensor arena it needs.

The arena is measured on this machine, whose pointers are 64 bits wide. Activations take the same bytes on a 32-bit
microcontroller; tflite-micro's own structures (nodes, tensors, kernel data) are mostly pointers and take about half,
so the figure is an upper bound there. Kernels of a vendor (CMSIS-NN, ESP-NN) may ask for scratch memory on top.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

from audit_pipeline.errors import InputError, ToolError

_SECONDS = 300


@dataclass(frozen=True)
class Trial:
    """How a candidate fared in tflite-micro."""

    missing: frozenset[str]
    """Names of operators it has no kernel for."""
    arena_bytes: int | None
    """Smallest arena in which it was allocated and run; None where it does not run."""
    reason: str
    """Why it does not run, in tflite-micro's words; empty where it does."""


def try_in_tflite_micro(tflite: bytes) -> Trial:
    """Try a candidate in a child process.

    Raises:
        InputError: `device.crash`: tflite-micro crashed on the model.
        ToolError: `device.no-child` or `device.timeout`.
    """
    try:
        child = subprocess.run(
            [sys.executable, "-m", "audit_pipeline.device.interpreter_probe"],
            input=tflite,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        what = f"tflite-micro took more than {_SECONDS} s to find the smallest arena"
        raise ToolError("device.timeout", what) from error
    except OSError as error:
        raise ToolError("device.no-child", f"cannot start a process for tflite-micro ({error.strerror})") from error
    complaints = [line.strip() for line in child.stderr.decode(errors="replace").splitlines() if line.strip()]
    if child.returncode < 0:
        raise InputError(
            "device.crash",
            f"tflite-micro crashes on this model (signal {-child.returncode})",
            hint="the .tflite is damaged, has a layer whose weights are all zero (scale 0), or uses "
            "an operator in a way tflite-micro does not check; convert it again",
        )
    if child.returncode > 0:
        last = complaints[-1] if complaints else "it said nothing"
        raise ToolError("device.no-child", f"the process that tries the model in tflite-micro failed: {last}")
    answer = json.loads(child.stdout)
    return Trial(frozenset(answer["missing"]), answer["arena_bytes"], _reason(answer, complaints))


def _reason(answer: dict[str, object], complaints: list[str]) -> str:
    if answer["missing"]:
        return "tflite-micro has no kernel for " + ", ".join(sorted(answer["missing"]))  # type: ignore[call-overload]
    return "" if answer["arena_bytes"] is not None else "; ".join(complaints[:3]) or "tflite-micro refuses the model"
