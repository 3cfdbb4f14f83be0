"""The entries that a run must have in the trail, drawn again from its evidence, and held against those it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit_pipeline import run_folder
from audit_pipeline.entries import (
    Body,
    candidate_entry,
    data_entry,
    findings_entry,
    model_entry,
    policy_entry,
    seal_entry,
    verdict_entry,
)
from audit_pipeline.errors import RejectedError
from audit_pipeline.evidence import TrailPart
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.kind import Kind

Document = Mapping[str, Any]

_BEFORE_A_SEAL = (run_folder.POLICY, run_folder.MODEL, run_folder.PREDICTIONS, run_folder.VERDICT)


def check_entries(
    document: Document, files: Mapping[str, bytes] | None, entries: Sequence[Entry], position: TrailPart, where: str
) -> Mapping[Kind, int]:
    """A run's entries are exactly those that its evidence gives, in order, and where the evidence says.

    Args:
        document: the evidence.
        files: of the run's folder; None where only its evidence is known, and the digests of the others are believed.
        entries: of the run, but for those of people.
        position: where the evidence says that the run stands.
        where: the trail, for messages.

    Returns:
        Where the entry of each kind stands.

    Raises:
        RejectedError: `gate.trail`, or `gate.taken-out`.
    """
    name, expected = document["run"]["id"], _expected(document, files)
    for entry, (kind, body) in zip(entries, expected, strict=False):
        if entry.redacted:
            raise RejectedError(
                "gate.taken-out",
                f"the text of entry {entry.index} ({entry.kind}) of run {name} was taken out of the log, so nothing "
                "shows any more that the run is what was logged",
                where=where,
                hint="what had to go stands in the run's folder too: delete that, and ship again without it",
            )
        if entry.kind != kind or not _is_what_was_logged(entry, body, files):
            raise RejectedError(
                "gate.trail",
                f"entry {entry.index} is not the {kind} entry that follows from run {name}",
                where=where,
                hint="the run's folder or its place in the trail is not what was logged: ship again and keep both",
            )
    if len(entries) != len(expected):
        raise RejectedError(
            "gate.trail", f"run {name} has {len(entries)} entries instead of {len(expected)}", where=where
        )
    places = {entry.kind: entry.index for entry in entries}
    if (places["policy"], places["findings"]) != (position.policy_index, position.size - 1):
        raise RejectedError("gate.trail", "policy or findings stand elsewhere than the evidence says", where=where)
    return places


def _expected(evidence: Document, files: Mapping[str, bytes] | None) -> list[tuple[Kind, Body]]:
    seal, files = evidence.get("seal"), files or {}
    waivers = (run_folder.waiver(part["sha256"]) for part in evidence.get("waivers", ()))
    logged = {name: files[name] for name in (*_BEFORE_A_SEAL, *waivers) if name in files} if seal else files
    expected: list[tuple[Kind, Body]] = [
        ("policy", policy_entry(evidence["policy"])),
        ("data", data_entry(evidence["data"])),
        ("model", model_entry(evidence["source"], evidence.get("baseline"))),
        ("candidate", candidate_entry(evidence["candidate"])),
        ("findings", findings_entry(evidence["findings"], evidence["verdict"])),
        ("verdict", verdict_entry(evidence, logged)),
    ]
    if seal:
        expected.append(("seal", seal_entry(seal, files[run_folder.RELEASE])))
    return expected


def _is_what_was_logged(entry: Entry, body: Body, files: Mapping[str, bytes] | None) -> bool:
    """By all that it says; where files are not here, by all but their digests."""
    if files is not None:
        return entry.holds(body)
    return {**entry.body, "files": None} == {**body, "files": None}
