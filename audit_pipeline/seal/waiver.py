"""Waivers: people sign that one rule may be broken, for one group, up to a limit, for one model, and until a day.

A waiver is an attestation of its own, signed by a quorum of distinct keys that sign nothing else. It binds nobody until
a verdict lists the digest of its payload; what the verdict does not list is refused, and so is a verdict that lists
what nobody shows. Time is asked again at every check, so that a verdict under a waiver does not outlive it.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import RejectedError
from audit_pipeline.measurement import GroupKey, Sha256
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.predicate import Label, Predicate, Text, Utc, first_fault, moment
from audit_pipeline.seal.statement import Statement, Subject, make_statement, read_statement

WAIVER_TYPE = "https://audit-pipeline.dev/waiver/v1"
LONGEST = timedelta(days=180)

_MOST = 256
"""Waivers that one verdict may list."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


class WaivedPolicy(Predicate):
    """The policy that has the rule."""

    sha256: Sha256


class Waiver(Predicate):
    """What a waiver says of its model."""

    policy: WaivedPolicy
    rule: Text
    """Where the rule stands in the policy, as a finding names it: `fairness[0]`."""
    group: Label
    """The group as people read it (`GroupKey.label`): `sex=female`, `overall`."""
    limit: float
    """How far the rule's value may go instead of the rule's own limit."""
    reason: Text
    issued: Utc
    expires: Utc
    """First moment at which it no longer holds; at most 180 days after `issued`."""


@dataclass(frozen=True)
class Waived:
    """A waiver that holds."""

    sha256: str
    """Digest of its payload, as the verdict lists it."""
    waiver: Waiver


def waiver_payload(waiver: Waiver, model: Subject) -> bytes:
    """The payload that the approvers sign.

    Args:
        waiver: what is waived.
        model: the .tflite that it is waived for, and no other.
    """
    return make_statement([model], WAIVER_TYPE, waiver.model_dump(mode="json"))


def check_waivers(
    verdict: Statement,
    waivers: Sequence[bytes],
    quorum: Quorum | None,
    *,
    model_sha256: str,
    policy_sha256: str,
    now: str | None,
) -> tuple[Waived, ...]:
    """Hold waivers against the verdict that was given under them.

    Args:
        verdict: the verdict's statement, whose signature holds already.
        waivers: envelopes, in any order.
        quorum: whose signatures count, and how many; None where nobody is trusted to waive anything.
        model_sha256: of the .tflite.
        policy_sha256: of the policy file.
        now: the time, UTC, ISO 8601 to the second; needed where there are waivers.

    Returns:
        The waivers, in the order in which the verdict lists them.

    Raises:
        RejectedError: `waiver.listing`, the verdict's list is none; `waiver.untrusted`, nobody is trusted to waive;
            `waiver.signature`, `waiver.format`, `waiver.twice`, `waiver.unlisted` or `waiver.missing`; `waiver.model`
            or `waiver.policy`, it is for another one; `waiver.finding`, the verdict has no such rule and group;
            `waiver.too-long`, `waiver.not-yet` or `waiver.expired`.
        ValueError: there are waivers and `now` was not given.
    """
    listed = listed_waivers(verdict)
    if not listed and not waivers:
        return ()
    if now is None:
        raise ValueError("whether a waiver has expired cannot be told without the time")
    shown: dict[str, Waived] = {}
    for number, envelope in enumerate(waivers):
        where = f"waiver {number + 1} of {len(waivers)}"
        waived, statement = _open(envelope, quorum, where)
        if waived.sha256 in shown:
            raise _rejected("twice", "the same waiver was given twice", where)
        if waived.sha256 not in listed:
            raise _rejected("unlisted", "the verdict was not given under this waiver", where)
        _check_binding(waived.waiver, statement, verdict, model_sha256, policy_sha256)
        _check_time(waived.waiver, moment(now), where)
        shown[waived.sha256] = waived
    for sha256 in listed:
        if sha256 not in shown:
            raise _rejected(
                "missing", f"the verdict was given under waiver {sha256[:16]}…, which is not here", "verdict"
            )
    return tuple(shown[sha256] for sha256 in listed)


def listed_waivers(verdict: Statement) -> list[str]:
    """The digests in a verdict's `waivers`; a verdict from before there were any has none.

    Raises:
        RejectedError: `waiver.listing`.
    """
    found = verdict.predicate.get("waivers", [])
    listed = [_digest(item) for item in found] if isinstance(found, list) else [None]
    digests = [digest for digest in listed if digest is not None]
    if len(set(digests)) < len(listed) or len(listed) > _MOST:
        raise _rejected("listing", "the verdict's list of waivers is not one of distinct digests", verdict.where)
    return digests


def _digest(item: Any) -> str | None:
    match item:
        case {"sha256": str(sha256)} if _SHA256.fullmatch(sha256):
            return sha256
    return None


def _open(envelope: bytes, quorum: Quorum | None, where: str) -> tuple[Waived, Statement]:
    if quorum is None:
        raise _rejected(
            "untrusted",
            "nobody is trusted to waive anything",
            where,
            hint="give the keys of role waiver in a trust file, if you trust them",
        )
    try:
        payload = dsse.verify(envelope, quorum, where=where)
    except RejectedError as error:
        raise _rejected("signature", f"not signed as a waiver must be: {error.what}", where, error.hint) from None
    statement = read_statement(payload, WAIVER_TYPE, where=where)
    try:
        waiver = Waiver.model_validate(statement.predicate)
    except ValidationError as error:
        raise _rejected("format", first_fault(error), where) from None
    return Waived(sha256_hex(payload), waiver), statement


def _check_binding(
    waiver: Waiver, statement: Statement, verdict: Statement, model_sha256: str, policy_sha256: str
) -> None:
    if [subject.sha256 for subject in statement.subjects] != [model_sha256]:
        raise _rejected("model", "it was given for another model", statement.where)
    if waiver.policy.sha256 != policy_sha256:
        raise _rejected("policy", "it was given for another policy", statement.where)
    findings = verdict.value("findings")
    if not isinstance(findings, list) or not any(_is_of(finding, waiver) for finding in findings):
        raise _rejected(
            "finding", f"the verdict found nothing under {waiver.rule!r} for {waiver.group!r}", statement.where
        )


def _is_of(finding: Any, waiver: Waiver) -> bool:
    """Whether a finding, as JSON values, is of the waived rule and group."""
    match finding:
        case {"rule": waiver.rule, "group": {"by": [*by], "values": [*values]}}:
            with contextlib.suppress(ValidationError):
                return GroupKey(by=tuple(by), values=tuple(values)).label == waiver.group
    return False


def _check_time(waiver: Waiver, now: datetime, where: str) -> None:
    issued, expires = moment(waiver.issued), moment(waiver.expires)
    if not timedelta(0) < expires - issued <= LONGEST:
        raise _rejected("too-long", f"a waiver ends within {LONGEST.days} days after it was issued", where)
    if now < issued:
        raise _rejected("not-yet", f"it is dated {waiver.issued}, which is still to come", where)
    if now >= expires:
        raise _rejected(
            "expired", f"it ended {waiver.expires}", where, hint="a new run under a new waiver, or a model that holds"
        )


def _rejected(kind: str, what: str, where: str, hint: str | None = None) -> RejectedError:
    return RejectedError(f"waiver.{kind}", what, where=where, hint=hint)
