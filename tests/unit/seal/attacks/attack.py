"""What an attack is, how it is presented, and who looks at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from genuine import Genuine, Presented
from shipped import USUAL, Suite

from audit_pipeline.errors import AuditError
from audit_pipeline.seal.verify import Companions, verify


class Attacker(StrEnum):
    """Whose key the attacker has; everybody has every public file and every image ever released."""

    NOBODY = "no key"
    STRANGER = "another maker's key"
    DEVICE = "the device's key"
    FORMER = "a former key"
    INSIDER = "one trusted key"


class View(StrEnum):
    """What the verifier was given with the image, or which other verifier it is."""

    ALONE = "image alone"
    ATTESTED = "with its attestations"
    DEVICE = "with the device's key"
    FULL = "with all of it"
    TRUST = "trust file"
    WAIVERS = "waivers"
    TRAIL = "trail"
    GATE = "gate"


IMAGE_VIEWS = (View.ALONE, View.ATTESTED, View.DEVICE, View.FULL)

_SPELLED = {
    "aes": "AES",
    "der": "DER",
    "ecdsa": "ECDSA",
    "ed25519": "Ed25519",
    "kw": "KW",
    "p256": "P-256",
    "ram": "RAM",
    "rsa": "RSA",
    "sha": "SHA",
    "tlv": "TLV",
    "tlvs": "TLVs",
    "url": "URL",
    "utf": "UTF",
    "x25519": "X25519",
}

Judgement: TypeAlias = Callable[[], object]
"""Asks a verifier of something other than an image; raises what it refuses with."""


@dataclass(frozen=True)
class Attack:
    """One attack: everything a table needs, and the function that makes what the attacker presents."""

    name: str
    family: str
    hope: str
    attacker: Attacker
    code: str
    """Of the error that must come."""
    view: View
    """The first view that refuses; of an image, those before it let the attack pass."""
    present: Callable[[Genuine], Presented | Judgement]
    suite: Suite

    def meets(self, genuine: Genuine) -> dict[View, str | None]:
        """The error code in each view that applies; None where the attack passes.

        Raises:
            Exception: anything that is no `AuditError`, which is a defect.
        """
        shown = self.present(genuine)
        if callable(shown):
            return {self.view: refusal(shown)}
        return {view: refusal(lambda view=view: judge(shown, view)) for view in IMAGE_VIEWS}


@dataclass
class Family:
    """A list of attacks that grows by decoration."""

    name: str
    attacks: list[Attack] = field(default_factory=list)

    def attack(
        self,
        hope: str,
        *,
        code: str,
        view: View = View.ALONE,
        by: Attacker = Attacker.NOBODY,
        suite: Suite = USUAL,
        name: str | None = None,
    ) -> Callable[[Callable[[Genuine], Any]], Callable[[Genuine], Any]]:
        """Enter a function under its own name, or another."""

        def enter(present: Callable[[Genuine], Any]) -> Callable[[Genuine], Any]:
            title = name or " ".join(_SPELLED.get(word, word) for word in present.__name__.split("_"))
            self.attacks.append(Attack(title, self.name, hope, by, code, view, present, suite))
            return present

        return enter


def judge(shown: Presented, view: View) -> None:
    """Ask our verifier about an image in one view."""
    companions = shown.companions if view in {View.ATTESTED, View.FULL} else Companions()
    recipient = shown.recipient if view in {View.DEVICE, View.FULL} else None
    verify(shown.image, trust=shown.trust, companions=companions, recipient=recipient, now=shown.now)


def refusal(ask: Judgement) -> str | None:
    """The code of the error that asking raises; None where there is none."""
    try:
        ask()
    except AuditError as error:
        return error.code
    return None
