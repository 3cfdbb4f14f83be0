from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.device.interpreters import litert_reference, tflite_micro
from audit_pipeline.model.runtime import quiet


def test_native_chatter_and_warnings_are_kept_back_and_later_ones_are_not(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet():
        os.write(2, b"native chatter\n")
        warnings.warn("a warning", stacklevel=1)
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_an_error_passes_through_and_restores_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="inside"), quiet():
        raise ValueError("inside")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_python_may_go_on_writing_to_the_terminal() -> None:
    script = (
        "import sys, os\n"
        "from audit_pipeline.model.runtime import quiet\n"
        "with quiet():\n    print('progress', file=sys.stderr); os.write(2, b'chatter')\n"
    )
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert child.stderr == "progress\n"


def test_the_three_runtimes_share_a_process_tensorflow_last_and_without_a_word(
    candidate: Candidate, tmp_path: Path
) -> None:
    model = tmp_path / "m.tflite"
    model.write_bytes(candidate.tflite)
    script = (
        "import tflite_micro, ai_edge_litert.interpreter, sys\n"
        "import numpy as np\nfrom pathlib import Path\n"
        "from audit_pipeline.model.runtime import keras_runtime\n"
        "from audit_pipeline.device.interpreters import tflite_micro as micro, litert_reference\n"
        "keras_runtime(1)\n"
        "data, row = Path(sys.argv[1]).read_bytes(), np.zeros((1, 20, 1), np.int8)\n"
        "print(*micro(data)(row), *litert_reference(data)(row))"
    )
    child = subprocess.run([sys.executable, "-c", script, str(model)], capture_output=True, text=True, check=True)
    row = np.zeros((1, 20, 1), np.int8)
    here = [*tflite_micro(candidate.tflite)(row), *litert_reference(candidate.tflite)(row)]
    assert [int(value) for value in child.stdout.split()] == here
    assert child.stderr == ""
