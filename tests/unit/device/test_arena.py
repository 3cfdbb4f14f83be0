from __future__ import annotations

import os
import subprocess
import sys

import pytest
from graphs import one_operator

from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.device import arena
from audit_pipeline.device.arena import try_in_tflite_micro
from audit_pipeline.device.footprint import findings, measure
from audit_pipeline.device.interpreter_probe import missing_operators
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import CandidatePart
from audit_pipeline.measurement import Outcome
from audit_pipeline.tflite import OperatorCode


def runs_in(tflite: bytes, arena_bytes: int) -> bool:
    script = (
        "import sys\nfrom tflite_micro import runtime\n"
        "runtime.Interpreter.from_bytes(sys.stdin.buffer.read(), arena_size=int(sys.argv[1])).invoke()"
    )
    command = [sys.executable, "-c", script, str(arena_bytes)]
    return subprocess.run(command, input=tflite, capture_output=True, check=False).returncode == 0


def candidate_of(tflite: bytes) -> Candidate:
    return Candidate(tflite, CandidatePart(sha256="0" * 64, size_bytes=len(tflite), zipped_bytes=0, seed=0, steps=()))


def test_the_arena_is_the_smallest_that_works(candidate: Candidate) -> None:
    trial = try_in_tflite_micro(candidate.tflite)
    assert trial.missing == frozenset()
    assert trial.reason == ""
    assert trial.arena_bytes is not None
    assert trial.arena_bytes % 16 == 0
    assert runs_in(candidate.tflite, trial.arena_bytes)
    assert not runs_in(candidate.tflite, trial.arena_bytes - 16)


def test_an_operator_without_a_kernel_is_named_and_fails(candidate: Candidate) -> None:
    footprint = measure(candidate_of(one_operator("ATAN2", [[1, 4], [1, 4]], [1, 4])), "b", "s", 10**6, 10**6)
    assert [(each.name, each.supported) for each in footprint.operators] == [("ATAN2", False)]
    assert footprint.arena_bytes is None
    assert not footprint.fits
    operators, flash, ram = findings(footprint)
    assert (operators.outcome, flash.outcome, ram.outcome) == (Outcome.FAIL, Outcome.PASS, Outcome.FAIL)
    assert "ATAN2" in operators.reason


def test_a_graph_that_tflite_micro_refuses_has_a_reason() -> None:
    trial = try_in_tflite_micro(one_operator("RESHAPE", [[1, 4]], [1, 5]))
    assert trial.arena_bytes is None
    assert trial.missing == frozenset()
    assert trial.reason


def test_a_crash_of_tflite_micro_is_an_error_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def crashed(*_: object, **__: object) -> subprocess.CompletedProcess[bytes]:
        return subprocess.CompletedProcess([], -11, b"", b"")

    monkeypatch.setattr(arena.subprocess, "run", crashed)
    with pytest.raises(InputError) as caught:
        try_in_tflite_micro(b"")
    assert caught.value.code == "device.crash"


def test_what_fits_to_the_byte_fits_and_a_byte_less_does_not(candidate: Candidate) -> None:
    exact = measure(candidate, "b", "s", 10**6, 10**6)
    assert exact.arena_bytes is not None
    flash, ram = exact.flash_bytes, exact.arena_bytes
    assert flash == len(candidate.tflite)
    tight = exact.model_copy(update={"flash_limit": flash, "arena_limit": ram})
    assert [finding.outcome for finding in findings(tight)] == [Outcome.PASS] * 3
    assert [finding.id for finding in findings(tight)] == [
        "target:operators:overall",
        "target:flash:overall",
        "target:arena:overall",
    ]
    short = exact.model_copy(update={"flash_limit": flash - 1, "arena_limit": ram - 1})
    assert [finding.outcome for finding in findings(short)] == [Outcome.PASS, Outcome.FAIL, Outcome.FAIL]
    assert not measure(candidate, "b", "s", flash - 1, ram).fits


def test_what_is_said_to_have_a_kernel_is_what_the_library_registers() -> None:
    """The symbols of the library name most kernels; the resolver is asked for each, and for some it cannot have."""
    from ai_edge_litert.schema_py_generated import BuiltinOperator

    known = ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "SOFTMAX", "LOGISTIC", "MEAN", "VAR_HANDLE", "SHAPE"]
    unknown = ["ATAN2", "RFFT2D", "LSTM", "CONV_3D", "UNIQUE"]
    codes = [OperatorCode(name, getattr(BuiltinOperator, name), None) for name in [*known, *unknown]]
    codes.append(OperatorCode("MyOperator", BuiltinOperator.CUSTOM, "MyOperator"))
    assert missing_operators(tuple(codes)) == [*unknown, "MyOperator"]


def test_the_probe_leaves_stderr_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    missing_operators((OperatorCode("ATAN2", 156, None),))
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
