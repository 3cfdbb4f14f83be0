"""Waivers: what was allowed once, to one model, by two people, asked for again by others, later, for more."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from attack import Attacker, Family, Judgement, View
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from genuine import NOW, Genuine

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.statement import VERDICT_TYPE, Statement, Subject, make_statement, read_statement
from audit_pipeline.seal.waiver import WaivedPolicy, Waiver, check_waivers, waiver_payload

WAIVERS = Family("waivers")
_POLICY, _OTHER_POLICY = sha256_hex(b"policy"), sha256_hex(b"another policy")
_MODEL, _OTHER_MODEL = Subject("model.tflite", sha256_hex(b"model")), Subject("model.tflite", sha256_hex(b"another"))
_WAIVER = Waiver(
    policy=WaivedPolicy(sha256=_POLICY),
    rule="fairness[0]",
    group="sex=female",
    limit=0.1,
    reason="a successor is being trained",
    issued="2026-11-01T00:00:00Z",
    expires="2027-02-01T00:00:00Z",
)


@dataclass(frozen=True)
class _People:
    """Two who may waive, and one who may not."""

    first: Signer
    second: Signer
    outsider: Signer

    @property
    def quorum(self) -> Quorum:
        return Quorum((self.first.public, self.second.public), threshold=2)


@cache
def _people() -> _People:
    return _People(*(Signer.of(Ed25519PrivateKey.generate()) for _ in range(3)))


def _payload(waiver: Waiver = _WAIVER, model: Subject = _MODEL) -> bytes:
    return waiver_payload(waiver, model)


def _signed(payload: bytes) -> bytes:
    return dsse.sign(payload, [_people().first, _people().second])


def _listing(payloads: Sequence[bytes]) -> Statement:
    """A verdict given under these waivers."""
    listed = [{"sha256": sha256_hex(payload)} for payload in payloads]
    findings = [{"rule": "fairness[0]", "group": {"by": ["sex"], "values": ["female"]}}]
    payload = make_statement([_MODEL], VERDICT_TYPE, {"waivers": listed, "findings": findings})
    return read_statement(payload, VERDICT_TYPE, where="verdict")


def _ask(given: Sequence[bytes], listed: Sequence[bytes], *, now: str = NOW, quorum: Quorum | None = None) -> Judgement:
    counted = quorum or _people().quorum
    verdict = _listing(listed)
    return lambda: check_waivers(verdict, given, counted, model_sha256=_MODEL.sha256, policy_sha256=_POLICY, now=now)


def _changed(**fields: object) -> Judgement:
    """A waiver of two signatures that the verdict lists, with other fields."""
    payload = _payload(_WAIVER.model_copy(update=fields))
    return _ask([_signed(payload)], [payload])


def _predicate(**fields: object) -> Judgement:
    """The same where the fields are not those of a waiver."""
    document = json.loads(_payload())
    document["predicate"].update(fields)
    payload = json.dumps(document).encode()
    return _ask([_signed(payload)], [payload])


def _enter(name: str, hope: str, code: str, judgement: Judgement, by: Attacker = Attacker.INSIDER) -> None:
    @WAIVERS.attack(hope, code=code, view=View.WAIVERS, by=by, name=name)
    def present(_: Genuine) -> Judgement:
        return judgement


def genuine_waiver() -> Judgement:
    """What every one of these attacks starts from: it holds."""
    return _ask([_signed(_payload())], [_payload()])


_enter(
    "replay a waiver that has expired",
    "what was allowed in November is allowed for ever",
    "waiver.expired",
    _ask([_signed(_payload())], [_payload()], now="2027-02-01T00:00:00Z"),
    Attacker.NOBODY,
)
_enter(
    "waive for longer than half a year",
    "a waiver that nobody has to renew is a new limit",
    "waiver.too-long",
    _changed(expires="2029-01-01T00:00:00Z"),
)
_enter(
    "end a waiver before it begins",
    "the length of a negative time is short enough",
    "waiver.too-long",
    _changed(expires="2026-10-01T00:00:00Z"),
)
_enter("date a waiver ahead", "a stock of waivers for later", "waiver.not-yet", _changed(issued="2026-12-24T00:00:00Z"))
_enter(
    "write the end in local time",
    "hours are won by a time zone",
    "waiver.format",
    _predicate(expires="2027-02-01T00:00:00-12:00"),
)
_enter(
    "end on a day that there is not",
    "some readers take 30 February for March",
    "waiver.format",
    _predicate(expires="2027-02-30T00:00:00Z"),
)
_enter("waive without end", "a date that no comparison reaches", "waiver.format", _predicate(expires="9999"))
_enter("waive up to a limit that is a word", "'0.9' is above every number", "waiver.format", _predicate(limit="0.9"))
_enter("add a field to a waiver", "a field that another reader acts on", "waiver.format", _predicate(also="age=80"))
_enter(
    "show a waiver for another model",
    "the waiver of last year's model",
    "waiver.model",
    _ask([_signed(_payload(model=_OTHER_MODEL))], [_payload(model=_OTHER_MODEL)]),
)
_enter(
    "show a waiver for another policy",
    "the waiver of a policy that was laxer",
    "waiver.policy",
    _changed(policy=WaivedPolicy(sha256=_OTHER_POLICY)),
)
_enter("show a waiver for another rule", "any waiver will do", "waiver.finding", _changed(rule="privacy[0]"))
_enter("show a waiver for another group", "what was allowed for men", "waiver.finding", _changed(group="sex=male"))
_enter(
    "waive with one signature of two",
    "the second person is on holiday",
    "waiver.signature",
    _ask([dsse.sign(_payload(), [_people().first])], [_payload()]),
)
_enter(
    "waive with one signature given twice",
    "one signer counts as two",
    "waiver.signature",
    _ask([dsse.sign(_payload(), [_people().first, _people().first])], [_payload()]),
)
_enter(
    "waive with the signature of an outsider",
    "whoever may sign releases may waive",
    "waiver.signature",
    _ask([dsse.sign(_payload(), [_people().first, _people().outsider])], [_payload()]),
)
_enter(
    "withhold a waiver that the verdict was given under",
    "a PASS with nothing beside it looks like a clean one",
    "waiver.missing",
    _ask([], [_payload()]),
    Attacker.NOBODY,
)
_enter(
    "show a waiver that the verdict was not given under",
    "a FAIL is explained away afterwards",
    "waiver.unlisted",
    _ask([_signed(_payload())], []),
)
_enter(
    "show a waiver with another limit than the one listed",
    "rule and group fit, so it must be the one",
    "waiver.unlisted",
    _ask([_signed(_payload(_WAIVER.model_copy(update={"limit": 0.9})))], [_payload()]),
)
_enter(
    "show one waiver twice",
    "two waivers are listed, one is shown twice",
    "waiver.twice",
    _ask([_signed(_payload()), _signed(_payload())], [_payload()]),
    Attacker.NOBODY,
)
_enter(
    "list one waiver twice",
    "a list that is longer than what it names",
    "waiver.listing",
    _ask([_signed(_payload())], [_payload(), _payload()]),
)
_enter(
    "show a verdict in a waiver's place",
    "two keys sign verdicts too",
    "attestation.predicate-type",
    _ask([_signed(make_statement([_MODEL], VERDICT_TYPE, {"findings": []}))], [_payload()]),
)


@WAIVERS.attack(
    "where nobody is named, nobody objects", code="waiver.untrusted", view=View.WAIVERS, by=Attacker.INSIDER
)
def waive_where_nobody_may(_: Genuine) -> Judgement:
    verdict, given = _listing([_payload()]), [_signed(_payload())]
    return lambda: check_waivers(verdict, given, None, model_sha256=_MODEL.sha256, policy_sha256=_POLICY, now=NOW)
