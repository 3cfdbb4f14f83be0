"""Everything that compression is held to: the ECG search over five seeds, lifted operators, removed filters."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks import ecg_search, fallback, filter_pruning
from benchmarks.table import conclude

_ROOT = Path(__file__).parents[1]
_MITDB = _ROOT.parent / "shared" / "data" / "mitdb"
_EXAMPLE = _ROOT / "examples" / "ecg"


def main() -> None:
    """Measure all parts and conclude once."""
    if not (_EXAMPLE / "work" / "dataset.yaml").exists():
        if not _MITDB.is_dir():
            sys.exit(f"{_MITDB} is not there: this benchmark needs the MIT-BIH Arrhythmia Database")
        subprocess.run([sys.executable, _EXAMPLE / "prepare.py", "--mitdb", _MITDB], check=True)
    conclude("compress", [*filter_pruning.rows(), *fallback.rows(), *ecg_search.rows()])


if __name__ == "__main__":
    main()
