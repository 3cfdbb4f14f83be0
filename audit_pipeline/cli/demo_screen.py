"""The last screen of the demo: both verdicts side by side, by group, and what to type next."""

from __future__ import annotations

from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from audit_pipeline.evidence import Evidence
from audit_pipeline.measurement import GroupKey, Outcome
from audit_pipeline.report.comparison import Line, MetricTable, metric_tables
from audit_pipeline.report.summary import metric_name
from audit_pipeline.report.wording import group_name, share

_STYLES = {Outcome.PASS: "green", Outcome.FAIL: "bold red", Outcome.INCONCLUSIVE: "yellow"}
_MARKS = {Outcome.PASS: "✓", Outcome.FAIL: "✗", Outcome.INCONCLUSIVE: "?"}


def render_demo(refused: Evidence, sealed: Evidence, out: Path, program: str) -> Group:
    """Both runs on one screen.

    Args:
        refused: the run of the policy that prunes too hard.
        sealed: the run of the policy that holds.
        out: the demo's folder.
        program: what to type for `audit` where it was started.
    """
    harmed = _most_harmed(refused)
    accuracy = next(table for table in metric_tables(refused) if table.metric.name == "accuracy")
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for title in ("", "people", "float", f"{refused.run.id}, device", f"{sealed.run.id}, device"):
        table.add_column(title, justify="left" if not title else "right")
    _add(table, f"{metric_name(accuracy)}, overall", accuracy.overall, _same(sealed, accuracy, GroupKey()))
    for line in harmed.everyone:
        _add(table, f"{metric_name(harmed)}, {group_name(line.group)}", line, _same(sealed, harmed, line.group))
    table.add_section()
    table.add_row(Text("verdict", "bold"), "", "", _verdict(refused), _verdict(sealed))
    return Group(
        Text.assemble(("SYNTHETIC DATA", "bold yellow"), "  no real person is in it"), table, _next(out, program)
    )


def _most_harmed(evidence: Evidence) -> MetricTable:
    """Of the metrics with the worst outcome, the one that is furthest beyond a limit."""
    tables = metric_tables(evidence)
    worst = [table for table in tables if table.outcome is tables[0].outcome]
    return max(worst, key=lambda table: max((line.excess for line in table.everyone), default=0.0))


def _add(table: Table, name: str, refused: Line | None, sealed: Line | None) -> None:
    if refused is None or sealed is None:
        return
    comparison = refused.comparison
    people = comparison.after.subjects
    table.add_row(Text(name), str(people or ""), share(comparison.before), _value(refused), _value(sealed))


def _value(line: Line) -> Text:
    style = _STYLES[line.outcome] if line.outcome else ""
    mark = f" {_MARKS[line.outcome]}" if line.outcome else "  "
    return Text(share(line.comparison.after) + mark, style)


def _same(evidence: Evidence, table: MetricTable, group: GroupKey) -> Line | None:
    """The line of another run that speaks of the same metric and group."""
    other = next((each for each in metric_tables(evidence) if each.metric == table.metric), None)
    return next((line for line in other.everyone if line.group == group), None) if other else None


def _verdict(evidence: Evidence) -> Text:
    outcome = evidence.verdict.outcome
    ending = "sealed" if evidence.seal else "no image"
    return Text(f"{outcome.value}, {ending}", _STYLES[outcome])


def _next(out: Path, program: str) -> Group:
    places = Table.grid(padding=(0, 2))
    places.add_row("reports", str(out / "runs" / "too-hard" / "report.html"))
    places.add_row("", str(out / "runs" / "holds" / "report.html"))
    places.add_row("image", str(out / "runs" / "holds" / "firmware.bin"))
    signer = out / "keys" / "release.pub.pem"
    trail = out / "audit.db"
    commands = (
        f"{program} gate {out}/runs/holds --signer {signer} --trail {trail}",
        f"{program} verify {out}/runs/holds/firmware.bin --signer {signer}",
        f"{program} log --trail {trail}",
        f"{program} init my-device",
    )
    return Group("", places, "", Text("what to type next", "bold"), *(Text(f"  {command}") for command in commands))
