"""The keys and settings that a policy's `seal` section names, checked and opened before any work starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from audit_pipeline import rollback
from audit_pipeline.errors import InputError
from audit_pipeline.policy.load import KeyPlace, LoadedPolicy
from audit_pipeline.policy.schema import Device, Seal
from audit_pipeline.seal.image import check_pair
from audit_pipeline.seal.keys.forms import RecipientPublic, fingerprint, kind_of
from audit_pipeline.seal.keys.load import check_private_file, load_recipient_public, load_signer
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.settings import Dependency, SealSettings
from audit_pipeline.seal.version import ImageVersion
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trust_memory import revocation

Passphrase = Callable[[KeyPlace], bytes]
"""Asked for the passphrase of a key file, or for a token's PIN."""


@dataclass(frozen=True)
class SealKeys:
    """Opened keys and the settings of the image they are for."""

    signer: Signer
    recipient: RecipientPublic
    settings: SealSettings
    model_signer: Signer | None = None
    """Of a P-256 key, for the signature beside the model; None where there is no such key."""

    @property
    def device_class(self) -> str:
        """The line of releases in which the security counter must rise."""
        return rollback.device_class(
            self.settings.vendor, self.settings.device_class, recipient=fingerprint(self.recipient)
        )


def check_keys(policy: LoadedPolicy) -> None:
    """Check what can be checked of the policy's `seal` section without a passphrase.

    Raises:
        InputError: as `open_keys`, but for what only the passphrase or the token shows.
    """
    section = policy.value.seal
    if section is None or policy.recipient is None:
        return
    _settings(section, policy)
    load_recipient_public(policy.recipient)
    for place in (policy.signer, policy.model_signer):
        if isinstance(place, Path):
            check_private_file(place)


def open_keys(policy: LoadedPolicy, passphrase: Passphrase) -> SealKeys | None:
    """Open what the policy's `seal` section names; None where it has none.

    Raises:
        InputError: a key is missing, of the wrong kind or behind another passphrase, or a setting is impossible.
    """
    section = policy.value.seal
    if section is None or policy.signer is None or policy.recipient is None:
        return None
    settings = _settings(section, policy)
    recipient = load_recipient_public(policy.recipient)
    signer = load_signer(policy.signer, passphrase(policy.signer))
    check_pair(signer, recipient)
    return SealKeys(signer, recipient, settings, _model_signer(policy, signer, passphrase))


def require_unrevoked(keys: SealKeys, policy: LoadedPolicy, entries: Iterable[Entry]) -> None:
    """Refuse to sign with a key that a trust file in the trail revokes: no gate would take what it signs.

    Args:
        keys: that are to sign.
        policy: that named them.
        entries: the trail's, of kind `keys`.

    Raises:
        InputError: `seal.signer-revoked`.
        RejectedError: as `revocation`.
    """
    trust_files = tuple(entries)
    for name, signer in (("signer", keys.signer), ("model_signer", keys.model_signer)):
        if signer is None:
            continue
        key = fingerprint(signer.public)
        known = revocation(trust_files, key)
        if known is not None:
            raise InputError(
                "seal.signer-revoked",
                f"entry {known.index} of the trail, of {known.at[:10]}, knows the key {key[:16]}… as revoked",
                where=policy.where(("seal", name)),
                hint="name the key that replaced it; the trust file says why it was revoked",
            )


def _model_signer(policy: LoadedPolicy, signer: Signer, passphrase: Passphrase) -> Signer | None:
    place = policy.model_signer
    if place is None:
        return signer if kind_of(signer.public) == "p256" else None
    found = signer if place == policy.signer else load_signer(place, passphrase(place))
    if kind_of(found.public) != "p256":
        raise InputError(
            "keys.wrong-kind",
            "the model's signature is made with a P-256 key, and this is an Ed25519 key",
            where=str(place),
            hint="make one with `audit keys new NAME --kind p256`, or leave model_signer out",
        )
    return found


def _settings(section: Seal, policy: LoadedPolicy) -> SealSettings:
    device = section.device or Device()
    try:
        depends_on = device.depends_on
        return SealSettings(
            version=ImageVersion.parse(section.version),
            security_counter=section.security_counter,
            aes_bits=device.aes,
            vendor=device.vendor,
            device_class=device.class_,
            dependency=Dependency(depends_on.image, ImageVersion.parse(depends_on.version)) if depends_on else None,
            slot_bytes=device.slot_bytes,
        )
    except InputError as error:
        raise InputError(error.code, error.what, where=policy.where(("seal",)), hint=error.hint) from None
