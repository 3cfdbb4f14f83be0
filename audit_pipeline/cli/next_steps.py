"""What people still have to do before the gate lets a sealed run pass, and the command to type."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from audit_pipeline.cli.console import say

if TYPE_CHECKING:
    from audit_pipeline.evidence import Evidence


def demanded_approvals(evidence: Evidence) -> dict[str, int]:
    """How many approvals of which role the policy of a sealed run demands; none of a run that sealed nothing."""
    return dict(evidence.policy.document.get("approvals") or {}) if evidence.seal else {}


def say_next_steps(evidence: Evidence, folder: Path) -> None:
    """Say which approvals the policy demands. A sealed run has none yet: they are over its verdict."""
    demanded = demanded_approvals(evidence)
    if not demanded:
        return
    asked = ", ".join(f"{count} of {role}" for role, count in demanded.items())
    say(f"`audit gate` lets it pass once it is approved by {asked}:")
    for role in demanded:
        say(f'  audit approve {shlex.quote(str(folder))} --role {role} --reason "…" --key KEY')
