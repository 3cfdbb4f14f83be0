"""Models that Keras 3 saved, beside what it computes with them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def keras3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of Keras 3 models (see `keras3_zoo`)."""
    folder = tmp_path_factory.mktemp("keras3")
    script = Path(__file__).with_name("keras3_zoo.py")
    done = subprocess.run([sys.executable, script, folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder
