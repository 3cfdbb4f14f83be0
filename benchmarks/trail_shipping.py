"""Whether anybody ships a run that failed: the tests' own list of attempts, through the real commands, tried whole.

Tests are no package; their folder is put on the path here and nowhere else.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.table import Row

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "integration" / "shipping"))

from attempts import ATTEMPTS, genuine
from scene import Scene
from shipping import came_through, try_to_ship


def rows() -> list[Row]:
    """How many attempts there are, and how many runs came past the gate by them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "set").mkdir()
        scene = Scene.set(folder / "set")
        meant = scene.copied(folder / "meant")
        genuine(meant)
        through = came_through(meant)
        shipped = {}
        for number, attempt in enumerate(ATTEMPTS):
            shipped[attempt] = try_to_ship(scene.copied(folder / str(number)), attempt)
    for attempt, runs in shipped.items():
        if runs:
            print("shipped a FAIL:", attempt, runs)
    return [
        Row("ways to ship a FAIL: one person, one key twice, foreign or ended waivers", len(shipped), "", at_least=20),
        Row("of them that got past the gate", sum(bool(runs) for runs in shipped.values()), "", at_most=0),
        Row("releases by two who may waive and both roles that approve, as it is meant", len(through), "", at_least=1),
    ]
