"""What the gate asks of the trail: this run's entries and no others, in order, under a checkpoint, and none newer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from audit_pipeline import run_folder
from audit_pipeline.errors import RejectedError
from audit_pipeline.evidence import TrailPart
from audit_pipeline.gate.entries import check_entries
from audit_pipeline.gate.files import RunFiles
from audit_pipeline.gate.history import check_history
from audit_pipeline.gate.origin import check_origin_entries
from audit_pipeline.rollback import Released, last_released, without_broken_off
from audit_pipeline.seal_part import SealPart
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.kind import Kind
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.log_trust import LogChecked, LogTrust, check_log, unsigned
from audit_pipeline.trail.merkle import TreeHead
from audit_pipeline.trail.recorded import Recorded

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
    history: bool
    """whether it says of earlier policies what the run says"""
    lost: str | None
    """a run that sealed a newer image for the same devices and then, it says, broke off; None where there is none"""
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
    positions = (position, origin.trail) if origin else (position,)
    covers = _to_be_covered(tuple(trail.entries(evidence.run.id)), trail, trust)
    log = check_log(trail, trust, seen=map(_head, positions), covers=covers)
    entries = tuple(log.entries(evidence.run.id))
    first = tuple(log.entries(origin.run.id)) if origin else ()
    _refuse_uncovered(log, _to_be_covered(entries, trail, trust), trail)
    places = check_entries(run.document, run.files, _of_stages(entries), position, trail.where)
    check_origin_entries(evidence, run.document, _of_stages(first), places["policy"], trail.where)
    history = check_history(run, log.entries, positions[-1].policy_index)
    lost = _refuse_superseded(evidence.seal, log.entries, trail.where) if evidence.seal else None
    return Logged(
        where=trail.where,
        log=log,
        size=max(places.values()) + 1,
        verdict_index=places["verdict"],
        of_people=tuple(entry for entry in (*entries, *first) if entry.kind in _OF_PEOPLE),
        history=history,
        lost=lost,
        waivers=tuple(log.entries(kind="waiver")),
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


def _refuse_uncovered(log: LogChecked, covers: int, trail: Trail) -> None:
    """What was asked of the database before it was verified may have shown less."""
    if covers > (log.signed.head.size if log.signed else 0):
        raise unsigned(trail, covers)


def _refuse_superseded(seal: SealPart, entries: Recorded, url: str) -> str | None:
    """Refuse a release that a newer one has replaced; give back the run whose newer image got lost."""
    seals = tuple(entries(kind="seal"))
    released = without_broken_off(seals, entries(kind="aborted"))
    newest = _newer(seal, released)
    if newest is not None:
        raise RejectedError(
            "gate.superseded",
            f"this run is genuine and all else holds, but run {newest.run} was released after it for "
            f"{newest.device_class}, with security counter {newest.security_counter} above its {seal.security_counter}",
            where=url,
            hint="release the newer run: a device that took it refuses this image",
        )
    lost = _newer(seal, seals)
    return lost.run if lost else None


def _newer(seal: SealPart, seals: Iterable[Entry]) -> Released | None:
    newest = last_released(seals, seal.device_class or seal.recipient)
    return newest if newest is not None and newest.security_counter > seal.security_counter else None
