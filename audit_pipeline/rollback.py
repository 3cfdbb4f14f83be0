"""Security counters rise: no release of a device class is replaced by one that its devices could take for older.

The trail is the memory: every sealed image is entered with its counter and its device class. What counts as one class
is the policy's vendor and class together; where they are not given, the key of the recipient.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.trail.entry import Entry

LIMIT = 0xFFFF_FFFF


@dataclass(frozen=True)
class Released:
    """An image that was sealed, as the trail has it."""

    run: str
    device_class: str
    security_counter: int


def device_class(vendor: str | None, class_: str | None, recipient: str) -> str:
    """The line of releases that an image stands in: `vendor/class`, else the recipient's fingerprint.

    A vendor is a domain name, so that the first slash ends it and no such name is a fingerprint.
    """
    return f"{vendor}/{class_}" if vendor and class_ else recipient


def last_released(seals: Iterable[Entry], of_class: str) -> Released | None:
    """The seal with the highest counter of a class; None where there was none.

    Args:
        seals: the trail's entries of kind `seal`.
        of_class: see `device_class`.

    Raises:
        RejectedError: `trail.seal-entry`, an entry is not as `ship` writes it.
    """
    ours = [released for released in map(_released, seals) if released.device_class == of_class]
    return max(ours, key=lambda released: released.security_counter, default=None)


def without_broken_off(seals: Iterable[Entry], aborted: Iterable[Entry]) -> tuple[Entry, ...]:
    """The seals of images that somebody has: a run that breaks off after its seal says so in the very next entry.

    Later anybody who may write could say it of a run that was released, and have an older one take its place.

    Args:
        seals: the trail's entries of kind `seal`.
        aborted: those of kind `aborted`.
    """
    broken_off = {(entry.run, entry.index) for entry in aborted}
    return tuple(seal for seal in seals if (seal.run, seal.index + 1) not in broken_off)


def require_rise(seals: Iterable[Entry], of_class: str, security_counter: int) -> None:
    """Refuse a counter that is not above the highest one released.

    Args:
        seals: the trail's entries of kind `seal`.
        of_class: see `device_class`.
        security_counter: of the image that is to be released.

    Raises:
        InputError: `seal.counter-not-risen`.
        RejectedError: as `last_released`.
    """
    last = last_released(seals, of_class)
    if last is None or security_counter > last.security_counter:
        return
    hint = f"set security_counter to {last.security_counter + 1} or more"
    if last.security_counter == LIMIT:
        hint = "the counter of this class is used up: its devices take no newer image"
    raise InputError(
        "seal.counter-not-risen",
        f"run {last.run} was released with security counter {last.security_counter} for {_said(of_class)}, and "
        f"{security_counter} is not above it",
        where="seal.security_counter",
        hint=hint,
    )


def _said(of_class: str) -> str:
    """A class by its name; a bare digest would not say what it is of."""
    return of_class if "/" in of_class else f"the recipient key {of_class[:8]}…"


def _released(entry: Entry) -> Released:
    match entry.body:
        case {"security_counter": int(counter), "recipient": str(recipient)} if not isinstance(counter, bool):
            # Runs from before there were classes were told apart by recipient.
            return Released(entry.run, entry.body.get("device_class") or recipient, counter)
    raise RejectedError(
        "trail.seal-entry",
        f"entry {entry.index} is of kind seal and names no security counter and recipient",
        hint="`audit log verify` says whether it was changed; nothing is sealed on the word of such a trail",
    )
