"""The terminal summary: one screen, nothing taken for markup, what is hidden is counted."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Literal

import pytest
from report_hostile import hostile_evidence
from report_sample import METRICS, RECALL_OF_V, make_evidence
from report_tasks import make_regression
from rich.console import Console

from audit_pipeline.evidence import Evidence
from audit_pipeline.measurement import GroupKey, NotMeasurable, Outcome
from audit_pipeline.report.rules import is_between_groups
from audit_pipeline.report.terminal import render_terminal


def screen(evidence: Evidence, *, colour: bool = False, width: int = 80) -> str:
    system: Literal["standard"] | None = "standard" if colour else None
    console = Console(file=io.StringIO(), width=width, highlight=False, force_terminal=colour, color_system=system)
    console.print(render_terminal(evidence))
    output = console.file
    assert isinstance(output, io.StringIO)
    return output.getvalue()


def test_it_fits_one_screen(sample_evidence: Evidence) -> None:
    lines = screen(sample_evidence).rstrip("\n").split("\n")
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("outcome", "sealed", "word"),
    [
        (Outcome.FAIL, False, "REFUSED"),
        (Outcome.PASS, True, "SEALED"),
        (Outcome.PASS, False, "PASSED"),
        (Outcome.INCONCLUSIVE, False, "INCONCLUSIVE"),
    ],
)
def test_the_verdict_is_its_first_word(outcome: Outcome, sealed: bool, word: str) -> None:
    assert screen(make_evidence(outcome, sealed=sealed)).split()[0] == word


def test_the_worst_group_stands_right_under_overall(refused: Evidence) -> None:
    lines = screen(refused).split("\n")
    overall = next(i for i, line in enumerate(lines) if line.startswith("overall"))
    assert "0.850 → 0.640 ✗" in lines[overall]
    assert "0.740 → 0.890 ✓" in lines[overall]
    assert lines[overall + 1].startswith("sex=F, age_band=65-119")
    assert "0.860 → 0.230 ✗" in lines[overall + 1]


def test_hidden_groups_metrics_and_reasons_are_counted() -> None:
    evidence = make_evidence(ruled=(RECALL_OF_V, *METRICS[1:3], METRICS[4]))
    shown = screen(evidence)
    assert "and 5 more groups (" in shown
    assert "5 more metrics" in shown
    assert "more reasons in the report" in shown


def test_the_board_is_on_it(refused: Evidence) -> None:
    shown = " ".join(screen(refused).split())
    assert "nucleo-l4r5zi fits: flash 27.1 KiB (1.3%), RAM 22.6 KiB (3.5%), 1.20 M MACs" in shown


def test_a_difference_between_groups_has_its_own_line(refused: Evidence) -> None:
    assert any("between groups of sex" in line and "gap 0.031 ✓" in line for line in screen(refused).split("\n"))


def test_a_number_of_all_groups_together_has_its_own_line_and_column(refused: Evidence) -> None:
    document = {**refused.policy.document, "fairness": [{}, {}, {}, *refused.policy.document["fairness"][3:]]}
    shown = screen(refused.model_copy(update={"policy": refused.policy.model_copy(update={"document": document})}))
    lines = shown.split("\n")
    assert any("Equalized odds" in line and "Demographic parity" in line for line in lines)
    assert any("between groups of sex" in line and "0.062 ✓" in line and "0.910 ✓" in line for line in lines)


def test_the_changed_rows_are_counted(refused: Evidence) -> None:
    shown = " ".join(screen(refused).split())
    assert "612 of 12,884 rows: 590 lost, 12 gained, 10 neither; 3.00 times as often in sex=F" in shown
    assert "changed" not in screen(refused.model_copy(update={"exemplars": None}))


def test_numbers_that_are_no_shares_name_their_unit() -> None:
    lines = screen(make_regression()).split("\n")
    assert any("error in beats/min" in line for line in lines)
    assert any("sex=F" in line and "4.21 → 8.42 ✗" in line for line in lines)
    assert any("between groups of sex" in line and "gap 5.64 ✗" in line for line in lines)


def test_a_reason_keeps_its_first_clauses_and_its_last(refused: Evidence) -> None:
    reason = "sex=F: recall fell; " + "at most 0.1 is allowed; " * 20 + "about 12 more people would settle it"
    verdict = refused.verdict.model_copy(update={"reasons": (reason,)})
    shown = " ".join(screen(refused.model_copy(update={"verdict": verdict})).split())
    assert "why sex=F: recall fell; at most 0.1 is allowed;" in shown
    assert "…; about 12 more people would settle it" in shown


def test_a_reason_without_room_for_its_last_clause_keeps_the_first_whole(refused: Evidence) -> None:
    first = "demographic parity ratio of V is 0.300 (95 % interval 0.011 to 1.000) between sex=F (higher) and sex=M"
    verdict = refused.verdict.model_copy(update={"reasons": (f"{first}; {'so the data do not decide ' * 6}",)})
    shown = " ".join(screen(refused.model_copy(update={"verdict": verdict})).split())
    assert f"why {first}; …" in shown


def test_a_gap_that_cannot_be_measured_is_not_called_a_gap(refused: Evidence) -> None:
    nothing = NotMeasurable(reason="fewer than two groups", rows=0)
    findings = tuple(
        each.model_copy(update={"value": nothing}) if is_between_groups(each) else each for each in refused.findings
    )
    shown = screen(refused.model_copy(update={"findings": findings}))
    assert "not measurable" in shown
    assert "gap not" not in shown


def test_names_are_never_taken_for_markup_or_terminal_codes() -> None:
    shown = screen(hostile_evidence())
    assert "[bold red]" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert len(shown.split("\n")) <= 32


def test_colour_comes_from_styles_only(refused: Evidence) -> None:
    assert "\x1b[" in screen(refused, colour=True)
    assert "\x1b[" not in screen(refused)


@pytest.mark.parametrize("synthetic", [True, False])
def test_generated_data_are_called_synthetic(synthetic: bool) -> None:
    assert ("SYNTHETIC DATA" in screen(make_evidence(synthetic=synthetic))) is synthetic


def test_a_run_without_groups_has_a_summary(refused: Evidence) -> None:
    bare = refused.model_copy(update={"groups": ()})
    assert "REFUSED" in screen(bare)


def test_a_group_named_alike_in_two_columns_keeps_two_lines() -> None:
    groups = (GroupKey(), GroupKey(by=("sex",), values=("unknown",)), GroupKey(by=("age",), values=("unknown",)))
    shown = screen(make_evidence(groups=groups))
    assert "sex=unknown" in shown
    assert "age=unknown" in shown


def test_no_renderer_loads_the_drawing_library_before_it_draws() -> None:
    modules = "audit_pipeline.report.html, audit_pipeline.report.markdown, audit_pipeline.report.terminal"
    slow = ("altair", "vl_convert", "pandas", "tensorflow")
    probe = f"import sys, {modules}; print([name for name in {slow} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
