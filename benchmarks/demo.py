"""How long `audit demo` takes on two cores, everything included, and whether it ends as it is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.table import Row, conclude


def main() -> None:
    """Run the demo once in an empty folder, on two cores where the system lets us choose."""
    audit = str(Path(sys.executable).parent / "audit")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        subprocess.run([audit, "demo", "--out", f"{folder}/demo"], check=True)
        seconds = time.perf_counter() - start
        verdicts = {
            run: json.loads(Path(folder, "demo", "runs", run, "evidence.json").read_text())["verdict"]["outcome"]
            for run in ("too-hard", "holds")
        }
    conclude(
        "demo",
        [
            Row("audit demo on two cores", seconds, "s", at_most=120),
            Row("the policy that prunes too hard is refused", verdicts["too-hard"] == "FAIL", "", at_least=1),
            Row("the policy that holds is sealed", verdicts["holds"] == "PASS", "", at_least=1),
        ],
    )


if __name__ == "__main__":
    main()
