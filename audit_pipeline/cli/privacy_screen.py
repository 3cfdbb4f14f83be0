"""The screen of `audit privacy`: every rule and its answer, and what was found in the files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from audit_pipeline.findings import Finding
from audit_pipeline.measurement import Measured, Outcome
from audit_pipeline.report.wording import one_line

if TYPE_CHECKING:
    from audit_pipeline.privacy_audit import PrivacyAudit
    from audit_pipeline.privacy_part import BlobScan

_STYLES = {Outcome.PASS: "green", Outcome.FAIL: "bold red", Outcome.INCONCLUSIVE: "yellow"}
_MOST_HITS = 8


def render_privacy(found: PrivacyAudit) -> Group:
    """The whole result for a terminal; text from outside enters as `Text`, never as markup."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for title in ("rule", "found", "limit", "verdict"):
        table.add_column(title, justify="right" if title in ("found", "limit") else "left", overflow="fold")
    for finding in found.findings:
        name = finding.id.removeprefix("privacy.")
        table.add_row(
            Text(name), _value(finding), f"{finding.limit:g}", Text(finding.outcome, _STYLES[finding.outcome])
        )
    verdict = Text.assemble((f" {found.outcome} ", f"{_STYLES[found.outcome]} reverse"), f" {_MEANINGS[found.outcome]}")
    return Group(verdict, Text(""), table, Text(""), *_reasons(found), *_shadows(found), *_hits(found))


_MEANINGS = {
    Outcome.PASS: "no attack that was made gives away more than the policy allows; stronger ones may",
    Outcome.FAIL: "an attack gives away more than the policy allows",
    Outcome.INCONCLUSIVE: "what the policy asks could not be told",
}


def _value(finding: Finding) -> str:
    value = finding.value
    if not isinstance(value, Measured):
        return "–"
    if value.interval is None:
        return f"{value.estimate:g}"
    return f"{value.estimate:.3f} ({value.interval.low:.3f} to {value.interval.high:.3f})"


def _reasons(found: PrivacyAudit) -> Iterator[RenderableType]:
    for finding in found.findings:
        if finding.outcome is not Outcome.PASS:
            said = Text.assemble((f"{finding.outcome} ", _STYLES[finding.outcome]), one_line(finding.reason))
            yield said


def _shadows(found: PrivacyAudit) -> Iterator[RenderableType]:
    part = found.privacy
    if part is not None and part.shadows is not None:
        shadows = part.shadows
        people = f" of {shadows.subjects} people" if shadows.subjects is not None else ""
        yield Text(
            f"{shadows.count} shadow models, each on half of the {shadows.halves_of}; {shadows.rows:,} rows{people} "
            f"attacked, {shadows.members:,} of them members; trained {one_line(shadows.training)}",
            "dim",
        )
    for reason in part.reasons if part is not None else ():
        yield Text(f"note: {one_line(reason)}", "dim")


def _hits(found: PrivacyAudit) -> Iterator[RenderableType]:
    yield from _of(found.blob_scan)
    if found.source_scan is not None and found.source_scan.hits:
        yield Text("in the file that it was made from, which does not ship:", "dim")
        yield from _of(found.source_scan)


def _of(scan: BlobScan) -> Iterator[RenderableType]:
    for hit in scan.hits[:_MOST_HITS]:
        yield Text(f"{one_line(hit.where)}, byte {hit.offset}: {hit.kind}: {one_line(hit.detail)}")
    if len(scan.hits) > _MOST_HITS:
        yield Text(f"and {len(scan.hits) - _MOST_HITS} more, all of them with --json", "dim")
