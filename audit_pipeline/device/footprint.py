"""What a candidate costs on a board: flash, tensor arena, operators and multiply-accumulates, and whether it fits."""

from __future__ import annotations

from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.device.arena import try_in_tflite_micro
from audit_pipeline.device.macs import count_macs
from audit_pipeline.device.operators import count_operators
from audit_pipeline.evidence import Footprint
from audit_pipeline.findings import Finding
from audit_pipeline.measurement import GroupKey, Measured, Measurement, NotMeasurable, Outcome
from audit_pipeline.tflite import read_graph

RULE = "target"
"""Where the rule behind these findings stands in the policy."""


def measure(candidate: Candidate, board_name: str, board_source: str, flash_limit: int, ram_limit: int) -> Footprint:
    """Measure a candidate against a board.

    Args:
        candidate: what is meant to run on the device.
        board_name: the board's name in the report.
        board_source: where its limits come from.
        flash_limit: bytes of flash for the model; the interpreter's and the application's code come on top.
        ram_limit: bytes of RAM for the tensor arena.

    Raises:
        InputError: the candidate is damaged or crashes tflite-micro.
        ToolError: tflite-micro could not be tried.
    """
    graph = read_graph(candidate.tflite, "candidate")
    trial = try_in_tflite_micro(candidate.tflite)
    flash, arena = len(candidate.tflite), trial.arena_bytes
    return Footprint(
        board=board_name,
        board_source=board_source,
        flash_bytes=flash,
        flash_limit=flash_limit,
        arena_bytes=arena,
        arena_limit=ram_limit,
        macs=count_macs(graph),
        operators=count_operators(graph, trial.missing),
        fits=arena is not None and arena <= ram_limit and flash <= flash_limit,
    )


def findings(footprint: Footprint) -> tuple[Finding, ...]:
    """The three claims that must hold before anything else matters: it runs, and it fits in flash and in RAM."""
    return (
        _operators(footprint),
        _bytes(
            "flash",
            "the model fits in the board's flash",
            Measured(estimate=footprint.flash_bytes, rows=0),
            footprint.flash_limit,
            "the .tflite alone; the code that runs it comes on top",
        ),
        _bytes(
            "arena",
            "the tensor arena fits in the board's RAM",
            NotMeasurable(reason="tflite-micro does not run the model", rows=0)
            if footprint.arena_bytes is None
            else Measured(estimate=footprint.arena_bytes, rows=0),
            footprint.arena_limit,
            "measured with 64-bit pointers, an upper bound for a 32-bit board with tflite-micro's own kernels",
        ),
    )


def _operators(footprint: Footprint) -> Finding:
    missing = sorted(operator.name for operator in footprint.operators if not operator.supported)
    return Finding(
        id=f"{RULE}:operators:overall",
        stage="device",
        rule=RULE,
        claim="tflite-micro has a kernel for every operator",
        group=GroupKey(),
        value=Measured(estimate=len(missing), rows=0),
        limit=0,
        limit_kind="at_most",
        outcome=Outcome.FAIL if missing else Outcome.PASS,
        reason=f"no kernel for {', '.join(missing)}" if missing else "every operator has a kernel",
    )


def _bytes(what: str, claim: str, value: Measurement, limit: int, remark: str) -> Finding:
    if isinstance(value, NotMeasurable):
        outcome, reason = Outcome.FAIL, value.reason
    else:
        outcome = Outcome.PASS if value.estimate <= limit else Outcome.FAIL
        reason = f"{value.estimate:,.0f} of {limit:,} bytes ({remark})"
    return Finding(
        id=f"{RULE}:{what}:overall",
        stage="device",
        rule=RULE,
        claim=claim,
        group=GroupKey(),
        value=value,
        limit=limit,
        limit_kind="at_most",
        outcome=outcome,
        reason=reason,
    )
