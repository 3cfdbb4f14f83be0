"""The tests' own material for sealed images, for the benchmarks that count what the tests assert.

Tests are no package; their folders are put on the path here and nowhere else.
"""

from __future__ import annotations

import sys
from pathlib import Path

_TESTS = Path(__file__).parent.parent / "tests" / "unit" / "seal"
sys.path[:0] = [str(_TESTS / "attacks"), str(_TESTS)]

from attack_table import lines, page  # noqa: E402
from device_verifier import DeviceVerifier, Opening, build_verifier, lacking_for_host  # noqa: E402
from genuine import decrypted  # noqa: E402
from imgtool_answer import imgtool_answer  # noqa: E402
from shipped import P256, SUITES, USUAL, Run, Suite, ship  # noqa: E402

__all__ = [
    "P256",
    "SUITES",
    "USUAL",
    "DeviceVerifier",
    "Opening",
    "Run",
    "Suite",
    "build_verifier",
    "decrypted",
    "imgtool_answer",
    "lacking_for_host",
    "lines",
    "page",
    "ship",
]
