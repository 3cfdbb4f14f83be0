"""What a reviewer brings to the gate: whose signatures count and what else is asked for. None of it is the run's."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from audit_pipeline.people.approval import Approvers
from audit_pipeline.people.authors import authors, without_authors
from audit_pipeline.policy.schema import Policy
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.verify import Trust
from audit_pipeline.trail.log_trust import LogTrust


@dataclass(frozen=True)
class Demands:
    """What a run is held against."""

    trust: Trust
    """keys that must have signed the image, the attestations and the waivers"""
    now: str
    """the time, UTC, ISO 8601 to the second: what waivers must hold at"""
    approvers: Approvers = field(default_factory=dict)
    """who may approve, by role; how many must is the policy's to say"""
    log: LogTrust = field(default_factory=LogTrust)
    """the trail's key, its witnesses and a checkpoint kept elsewhere"""
    policy: Path | None = None
    """the policy that the release was to be judged by; None to take the run's own"""

    def authors(self, policy: Policy) -> frozenset[str]:
        """Fingerprints of the keys whose word counts neither as an approval nor as a waiver of what they made."""
        return authors(policy.human_centred.author.key, self.trust)

    def waiver_quorum(self, policy: Policy) -> Quorum | None:
        """Who may waive a rule of this policy; None where nobody may."""
        return without_authors(self.trust.waiver, self.authors(policy))
