"""The ECG example's figures on the device, held against de Chazal et al. 2004 and the size it was asked to have."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.table import Row, conclude

_ROOT = Path(__file__).parents[1]
_MITDB = _ROOT.parent / "shared" / "data" / "mitdb"
_EXAMPLE = _ROOT / "examples" / "ecg"


def main() -> None:
    """Prepare, train and evaluate from PhysioNet's files; nothing is taken from an earlier run."""
    if not _MITDB.is_dir():
        sys.exit(f"{_MITDB} is not there: this benchmark needs the MIT-BIH Arrhythmia Database")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work"
        _run(_EXAMPLE / "prepare.py", "--mitdb", _MITDB, "--out", work)
        start = time.perf_counter()
        _run(_EXAMPLE / "train.py", "--data", work, "--out", work)
        training = time.perf_counter() - start
        (Path(folder) / "int8.yaml").write_bytes((_EXAMPLE / "int8.yaml").read_bytes())
        audit = Path(sys.executable).parent / "audit"
        command = [audit, "evaluate", work / "model.h5", "-p", Path(folder) / "int8.yaml", "--run", "bench"]
        subprocess.run([*command, "--reports", folder, "--trail", f"{folder}/audit.db"], check=False)
        evidence = json.loads(Path(folder, "bench", "evidence.json").read_text())
    overall = {
        (each["metric"]["name"], each["metric"]["class"]): each["after"]["estimate"]
        for each in evidence["groups"][0]["metrics"]
    }
    conclude(
        "ecg",
        [
            Row("accuracy on the device", overall["accuracy", None], "", at_least=0.859),
            Row("recall of V on the device", overall["recall", "V"], "", at_least=0.777),
            Row("recall of S on the device", overall["recall", "S"], "", at_least=0.759),
            Row("int8 model", evidence["candidate"]["size_bytes"], "bytes", at_most=100_000),
            Row("tensor arena", evidence["footprint"]["arena_bytes"], "bytes", at_most=64 * 1024),
            Row("training", training, "s", at_most=600),
        ],
    )


def _run(script: Path, *arguments: Any) -> None:
    subprocess.run([sys.executable, script, *map(str, arguments)], check=True)


if __name__ == "__main__":
    main()
