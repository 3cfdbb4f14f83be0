"""One run as people decided it: every entry about it in order, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit_pipeline.trail.details import LOOSENED, Detail, details
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.kind import Kind
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.recorded import first_of_each_kind
from audit_pipeline.trail.summary import in_words, short

_DECIDED = ("human_centred", "changed", "lawful_basis", "retention_until", "steps", "search", "answers")
"""Parts of a body that hold what somebody decided; the rest, digests and figures, is for who looks at one entry."""

_LIMITS = ("fairness", "privacy", "approvals", "on_inconclusive")
"""Of a policy's rules, those that a run is judged by."""

_TAKEN_OUT = "its text was taken out"
"""What is told of a redacted entry: what it was about went with its text."""


@dataclass(frozen=True)
class Moment:
    """One entry, told."""

    entry: Entry
    what: str
    decided: tuple[Detail, ...]
    """what people answered and chose, line by line"""


@dataclass(frozen=True)
class Timeline:
    """What the trail holds of one run, as recorded; `audit gate` checks it."""

    run: str
    standing: tuple[Detail, ...]
    """how things stand after the last entry"""
    moments: tuple[Moment, ...]

    def to_json(self) -> dict[str, Any]:
        """The timeline as `audit log show RUN --json` prints it."""
        return {
            "run": self.run,
            "standing": {detail.label: detail.text for detail in self.standing},
            "entries": [
                {**moment.entry.to_json(), "what": moment.what, "decided": [vars(each) for each in moment.decided]}
                for moment in self.moments
            ],
        }


def timeline(trail: Trail, run: str) -> Timeline | None:
    """Everything the trail holds about a run, in order; None where it holds nothing.

    The waivers that its verdict rests on are about it too, though they were given to the run that was decided again.
    """
    entries = {entry.index: entry for entry in trail.entries(run)}
    if not entries:
        return None
    rests_on = [sha256 for entry in entries.values() for sha256 in _waivers(entry)]
    about = [entry for entry in trail.entries(kind="redaction") if entry.body.get("run") == run]
    about += [entry for entry in trail.entries(kind="waiver") if entry.body.get("sha256") in rests_on]
    entries |= {entry.index: entry for entry in about}
    ordered = [entries[index] for index in sorted(entries)]
    moments = (Moment(entry, in_words(entry), _decided(entry.body)) for entry in ordered)
    return Timeline(run, _standing(ordered), tuple(moments))


def _waivers(entry: Entry) -> Sequence[Any]:
    """Digests of the waivers that a verdict was given under."""
    match entry.kind, entry.body:
        case "verdict", {"waivers": [*listed]}:
            return listed
    return ()


def _decided(body: Mapping[str, Any]) -> tuple[Detail, ...]:
    decided = {key: body[key] for key in _DECIDED if key in body}
    rules = body.get("rules")
    if isinstance(rules, Mapping):
        decided["rules"] = {key: rules[key] for key in _LIMITS if key in rules}
    return details(decided)


def _standing(entries: Sequence[Entry]) -> tuple[Detail, ...]:
    found = first_of_each_kind(entries)
    lines = [Detail("outcome", _outcome(found))]
    policy = found["policy"].body if "policy" in found else {}
    lines += _loosened(policy)
    responsible = _answers(policy)
    lines += [Detail(f"answers for a {error.replace('_', ' ')}", str(who)) for error, who in responsible.items()]
    for kind, about in (("approval", "role"), ("waiver", "rule"), ("incident", "kind")):
        told = _signed(entries, kind, about)
        lines += [Detail(f"{kind}s", told)] if told else []
    return tuple(lines)


def _outcome(found: Mapping[Kind, Entry]) -> str:
    if "revocation" in found:
        return f"withdrawn: {found['revocation'].body.get('reason', _TAKEN_OUT)}"
    if "aborted" in found:
        return f"broke off: {found['aborted'].body.get('code')}"
    if "verdict" not in found:
        return "no verdict"
    outcome = str(found["verdict"].body.get("outcome"))
    return f"{outcome}, sealed as {found['seal'].body.get('version')}" if "seal" in found else f"{outcome}, no image"


def _loosened(policy: Mapping[str, Any]) -> list[Detail]:
    """Each limit under which more may pass than under that of an earlier run, and what that run had come to."""
    match policy.get("changed"):
        case {"run": str(run), "outcome": str() | None as outcome, "edits": [*edits]}:
            after = f"after the {outcome or 'unfinished'} of run {run}"
            told = (line.text for line in details({"edits": edits}))
            return [Detail("policy", f"{line}, {after}") for line in told if line.startswith(LOOSENED)]
    return []


def _answers(body: Mapping[str, Any]) -> Mapping[str, Any]:
    match body:
        case {"human_centred": {"responsible": dict(responsible)}}:
            return responsible
    return {}


def _signed(entries: Sequence[Entry], kind: str, about: str) -> str:
    """What was signed and by whom; several signatures under one statement stand behind each other."""
    gone = [f"entry {entry.index}, {_TAKEN_OUT}" for entry in entries if entry.kind == kind and entry.redacted]
    by: dict[str, list[str]] = {}
    for entry in entries:
        if entry.kind == kind and not entry.redacted:
            subject = " for ".join(str(entry.body[key]) for key in (about, "group") if key in entry.body)
            by.setdefault(subject, []).append(short(str(entry.body.get("signer") or "nobody")))
    return "; ".join([*(f"{subject} by {', '.join(signers)}" for subject, signers in by.items()), *gone])
