"""What the gate asks of the trail: this run's entries and no others, in order, and no newer release after it."""

from __future__ import annotations

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
from audit_pipeline.gate.files import RunFiles
from audit_pipeline.rollback import last_released
from audit_pipeline.seal_part import SealPart
from audit_pipeline.trail.entry import Entry, Kind
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.merkle import TreeHead
from audit_pipeline.trail.place import Address, Place

_BEFORE_A_SEAL = (run_folder.POLICY, run_folder.MODEL, run_folder.PREDICTIONS, run_folder.VERDICT)


def check_trail(run: RunFiles, trail: Address) -> None:
    """The run's entries must be exactly those that its evidence gives, in order, the policy registered first.

    Raises:
        RejectedError: `gate.unlogged`, `gate.trail`, `gate.superseded`, or those of `Trail.verify`.
        InputError: there is no trail.
    """
    position = run.evidence.trail
    if position is None:
        raise RejectedError("gate.unlogged", "the evidence names no place in a trail", where=run_folder.EVIDENCE)
    where = str(Place.of(trail))
    with Trail.open(trail, create=False) as opened:
        opened.verify(seen=[TreeHead(position.size, position.root)])
        entries = list(opened.entries(run.evidence.run.id))
        seals = _released(opened)
    _check_entries(run, entries, where)
    places = {entry.kind: entry.index for entry in entries}
    if (places["policy"], places["findings"]) != (position.policy_index, position.size - 1):
        raise RejectedError("gate.trail", "policy or findings stand elsewhere than the evidence says", where=where)
    if run.evidence.seal is not None:
        _refuse_superseded(run.evidence.seal, seals, where)


def _check_entries(run: RunFiles, entries: list[Entry], where: str) -> None:
    name, expected = run.evidence.run.id, _expected_entries(run)
    for entry, (kind, body) in zip(entries, expected, strict=False):
        if (entry.kind, entry.body) != (kind, body):
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


def _expected_entries(run: RunFiles) -> list[tuple[Kind, Body]]:
    evidence, seal, files = run.document, run.document.get("seal"), run.files
    logged = {name: files[name] for name in _BEFORE_A_SEAL if name in files} if seal else files
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


def _released(trail: Trail) -> list[Entry]:
    """The seals of runs that did not break off afterwards: such a run spent its counter, but nobody has its image."""
    broken_off = {entry.run for entry in trail.entries(kind="aborted")}
    return [entry for entry in trail.entries(kind="seal") if entry.run not in broken_off]


def _refuse_superseded(seal: SealPart, seals: list[Entry], where: str) -> None:
    newest = last_released(seals, seal.device_class or seal.recipient)
    if newest is not None and newest.security_counter > seal.security_counter:
        raise RejectedError(
            "gate.superseded",
            f"this run is genuine and all else holds, but run {newest.run} was released after it for "
            f"{newest.device_class}, with security counter {newest.security_counter} above its {seal.security_counter}",
            where=where,
            hint="release the newer run: a device that took it refuses this image",
        )
