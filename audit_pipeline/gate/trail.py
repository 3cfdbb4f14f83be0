"""What the gate asks of the trail: this run's entries and no others, in order, under a checkpoint, and none newer."""

from __future__ import annotations

from dataclasses import dataclass

from audit_pipeline import run_folder
from audit_pipeline.errors import RejectedError
from audit_pipeline.evidence import TrailPart
from audit_pipeline.gate.entries import check_entries
from audit_pipeline.gate.files import RunFiles
from audit_pipeline.gate.history import check_history
from audit_pipeline.gate.origin import check_origin_entries
from audit_pipeline.rollback import last_released
from audit_pipeline.seal_part import SealPart
from audit_pipeline.trail.entry import Entry, Kind
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.log_trust import LogChecked, LogTrust, check_log
from audit_pipeline.trail.merkle import TreeHead

_OF_PEOPLE: frozenset[Kind] = frozenset({"approval", "waiver", "incident", "revocation", "redaction"})


@dataclass(frozen=True)
class Logged:
    """What a trail that holds has of a run."""

    where: str
    """the trail, for messages"""
    log: LogChecked
    size: int
    """how many entries the log had when the run had ended"""
    verdict_index: int
    """of the entry of the run's verdict: what the verdict rests on came before"""
    of_people: tuple[Entry, ...]
    """what people entered about this run, and about the one it was decided again from"""
    waivers: tuple[Entry, ...]
    """every waiver in the trail, whichever run it was entered for"""


def check_trail(run: RunFiles, trail: Trail, trust: LogTrust) -> Logged:
    """The run's entries must be exactly those that its evidence gives, in order, the policy registered first.

    Raises:
        RejectedError: `gate.unlogged`, `gate.trail`, `gate.taken-out`, `gate.origin`, `gate.policy-history`,
            `gate.superseded`, or those of `check_log`.
    """
    evidence, position, origin = run.evidence, run.evidence.trail, run.evidence.origin
    if position is None:
        raise RejectedError("gate.unlogged", "the evidence names no place in a trail", where=run_folder.EVIDENCE)
    entries = tuple(trail.entries(evidence.run.id))
    first = tuple(trail.entries(origin.run.id)) if origin else ()
    positions = (position, origin.trail) if origin else (position,)
    log = check_log(trail, trust, seen=map(_head, positions), covers=_to_be_covered(entries, trail, trust))
    places = check_entries(run.document, run.files, _of_stages(entries), position, trail.where)
    check_origin_entries(evidence, run.document, _of_stages(first), places["policy"], trail.where)
    check_history(run, trail, positions[-1].policy_index)
    if evidence.seal is not None:
        _refuse_superseded(evidence.seal, _released(trail), trail.where)
    return Logged(
        where=trail.where,
        log=log,
        size=max(places.values()) + 1,
        verdict_index=places["verdict"],
        of_people=tuple(entry for entry in (*entries, *first) if entry.kind in _OF_PEOPLE),
        waivers=tuple(trail.entries(kind="waiver")),
    )


def _of_stages(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return tuple(entry for entry in entries if entry.kind not in _OF_PEOPLE)


def _to_be_covered(entries: tuple[Entry, ...], trail: Trail, trust: LogTrust) -> int:
    """How many entries a signed checkpoint must cover: all that the release rests on, its approvals too.

    A trail that never had a key has no checkpoint; that is refused only where one was asked for.
    """
    if trail.log() is None and trust == LogTrust():
        return 0
    resting_on = (entry.index for entry in entries if entry.kind not in _OF_PEOPLE or entry.kind == "approval")
    return max(resting_on, default=-1) + 1


def _head(position: TrailPart) -> TreeHead:
    return TreeHead(position.size, position.root)


def _released(trail: Trail) -> list[Entry]:
    """The seals of runs that did not break off afterwards: such a run spent its counter, but nobody has its image."""
    broken_off = {entry.run for entry in trail.entries(kind="aborted")}
    return [entry for entry in trail.entries(kind="seal") if entry.run not in broken_off]


def _refuse_superseded(seal: SealPart, seals: list[Entry], url: str) -> None:
    newest = last_released(seals, seal.device_class or seal.recipient)
    if newest is not None and newest.security_counter > seal.security_counter:
        raise RejectedError(
            "gate.superseded",
            f"this run is genuine and all else holds, but run {newest.run} was released after it for "
            f"{newest.device_class}, with security counter {newest.security_counter} above its {seal.security_counter}",
            where=url,
            hint="release the newer run: a device that took it refuses this image",
        )
