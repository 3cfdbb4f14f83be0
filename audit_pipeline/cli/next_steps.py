"""What people still have to do before the gate lets a run pass, and the command to type."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from audit_pipeline.cli.console import say
from audit_pipeline.cli.reviewer import command

if TYPE_CHECKING:
    from audit_pipeline.evidence import Evidence
    from audit_pipeline.trail.place import Place

_TRUST, _ROOT = Path("FILE"), Path("KEY")
"""what whoever types a command puts in where this one was given no trust file"""


def demanded_approvals(evidence: Evidence) -> dict[str, int]:
    """How many approvals of which role the policy of a sealed run demands; none of a run that sealed nothing."""
    return dict(evidence.policy.document.get("approvals") or {}) if evidence.seal else {}


def say_next_steps(
    evidence: Evidence, folder: Path, trail: Place, *, trust: Path | None = None, roots: list[Path] | None = None
) -> None:
    """Say which approvals the policy demands. A sealed run has none yet: they are over its verdict.

    Args:
        evidence: of the run.
        folder: the run's.
        trail: where it was entered.
        trust: the trust file that the next command is given; None where only whoever types it knows which.
        roots: the root keys that vouch for it.
    """
    demanded = demanded_approvals(evidence)
    if not demanded:
        return
    asked = ", ".join(f"{count} of {role}" for role, count in demanded.items())
    say(f"`audit gate` lets it pass once it is approved by {asked}:")
    for role in demanded:
        words = ("approve", str(folder), "--role", role, "--reason", '"…"', "--key", "KEY")
        say(f"  {command(*words, trust=trust or _TRUST, roots=roots or [_ROOT], trail=trail)}")


def say_after_refusal(evidence: Evidence, folder: Path, trail: Place) -> None:
    """Say how people may answer for a run that was refused, where every finding against it can be waived.

    Args:
        evidence: of the run.
        folder: the run's.
        trail: where it was entered.
    """
    from audit_pipeline.waived import why_never

    against = [finding for finding in evidence.findings if finding.outcome != "PASS"]
    if not against or any(why_never(finding) for finding in against):
        return
    asked = ("--rule", "RULE", "--group", "GROUP", "--limit", "LIMIT", "--reason", '"…"', "--expires", "UTC")
    typed = command("waive", str(folder), *asked, "--key", "KEY", trust=_TRUST, roots=[_ROOT], trail=trail)
    say(f"without a better recipe, two people can allow what failed for a time ({len(against)} to waive):")
    say(f"  {typed}")
