"""Waivers and the verdicts that list them, altered and signed again by whoever may waive.

An input is two JSON texts with a line between them: the verdict's predicate and the waiver's payload. The verdict
lists the waiver's digest wherever it has `@`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from audit_pipeline.canonical import canonical_json, sha256_hex
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.statement import VERDICT_TYPE, Statement, Subject, make_statement
from audit_pipeline.seal.strict_json import strict_json
from audit_pipeline.seal.waiver import WAIVER_TYPE, check_waivers
from benchmarks.fuzz.codes import codes_of
from benchmarks.fuzz.json_edits import edit_json
from benchmarks.fuzz.samples import ed25519, p256
from benchmarks.fuzz.target import Target
from benchmarks.fuzz.watch import Watch, require

_LINE = b"\n----\n"
_MODEL, _POLICY, _OTHER = (sha256_hex(text) for text in (b"model", b"policy", b"other"))
_NOW = "2026-06-01T00:00:00Z"
SIGNERS = (Signer.of(ed25519("waiver one")), Signer.of(p256("waiver two")), Signer.of(ed25519("waiver three")))
_QUORUM = Quorum(tuple(signer.public for signer in SIGNERS), 2)
_ISSUED, _EXPIRES = (b"2026-05-01T00:00:00Z",), (b"2026-08-01T00:00:00Z",)
_TIMES = (
    *(
        "2026-06-01T00:00:00Z",
        "2026-06-01T00:00:01Z",
        "2026-05-31T23:59:59Z",
        "2025-12-03T00:00:00Z",
        "0001-01-01T00:00:00Z",
    ),
    *(
        "0000-01-01T00:00:00Z",
        "9999-12-30T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2026-02-30T00:00:00Z",
        "2026-06-01T00:00:60Z",
        "2026-06-01T00:00:00",
    ),
    *(
        "２０２６-06-01T00:00:00Z",
        "2026-06-01 00:00:00Z",
        "2026-06-01T00:00:00Z\n",
        "2026-6-1T00:00:00Z",
        "20260601T000000Z",
    ),
)


def target() -> Target:
    """A waiver that is accepted is for this model and policy, signed by two, and holds now."""
    predicate = {
        "policy": {"sha256": _POLICY},
        "rule": "fairness[0]",
        "group": "sex=female",
        "limit": 0.1,
        "reason": "too few rows",
        "issued": "2026-05-01T00:00:00Z",
        "expires": "2026-08-01T00:00:00Z",
    }
    finding = {"rule": "fairness[0]", "group": {"by": ["sex"], "values": ["female"]}}
    verdict = {"waivers": [{"sha256": "@"}], "findings": [finding], "verdict": {"outcome": "PASS"}}
    changes: tuple[dict[str, Any], ...] = (
        *({}, {"policy": {"sha256": _OTHER}}, {"rule": "fairness[1]"}, {"expires": "2026-05-31T00:00:00Z"}),
        *({"issued": "2026-06-02T00:00:00Z"}, {"issued": "2026-01-01T00:00:00Z"}),
    )
    waivers = [make_statement([Subject("model.tflite", _MODEL)], WAIVER_TYPE, predicate | change) for change in changes]
    waivers.append(make_statement([Subject("model.tflite", _OTHER)], WAIVER_TYPE, predicate))
    verdicts = [verdict, verdict | {"waivers": []}, verdict | {"waivers": [{"sha256": "@"}, {"sha256": _OTHER}]}]
    samples = [canonical_json(first) + _LINE + second for first in verdicts for second in waivers]
    return Target(tuple(samples), _alter, _judge, codes_of(["waiver"]))


def _alter(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    verdict, _, waiver = data.partition(_LINE)
    verdicts, waivers = zip(*(other.split(_LINE) for other in others), strict=True)
    match draw.randrange(8):
        case 0 | 1:
            verdict = edit_json(draw, verdict, verdicts)
        case 2 | 3:
            for old in draw.choice((_ISSUED, _EXPIRES, (*_ISSUED, *_EXPIRES))):
                waiver = waiver.replace(old, draw.choice(_TIMES).encode())
        case 4:
            verdict = edit_json(draw, verdict, verdicts)
            waiver = edit_json(draw, waiver, waivers)
        case _:
            waiver = edit_json(draw, waiver, waivers)
    return verdict + _LINE + waiver


def _judge(watch: Watch, data: bytes) -> None:
    text, _, payload = data.partition(_LINE)
    listed = text.replace(b'"@"', f'"{sha256_hex(payload)}"'.encode())
    predicate = watch.ask(lambda: strict_json(listed, code="attestation.json", where="verdict"))
    if not isinstance(predicate, dict):
        return
    verdict = Statement((Subject("model.tflite", _MODEL),), VERDICT_TYPE, predicate, "verdict")
    chance = sha256_hex(data)[0]
    envelope = dsse.sign(payload, SIGNERS[:1] if chance == "0" else SIGNERS[:2])
    held = watch.ask(
        lambda: check_waivers(
            verdict,
            (envelope, envelope) if chance == "1" else (envelope,),
            None if chance == "2" else _QUORUM,
            model_sha256=_MODEL,
            policy_sha256=_POLICY,
            now=_NOW,
        )
    )
    if held:
        _require_all(json.loads(payload))


def _require_all(said: Any) -> None:
    """Hold what was accepted against the rules, read once more by other means."""
    predicate = said["predicate"]
    issued, expires, now = (datetime.fromisoformat(text) for text in (predicate["issued"], predicate["expires"], _NOW))
    require(issued <= now < expires <= issued + timedelta(days=180), "a waiver is accepted outside of its time")
    require(predicate["policy"]["sha256"] == _POLICY, "a waiver of another policy is accepted")
    require(said["subject"][0]["digest"]["sha256"] == _MODEL, "a waiver for another model is accepted")
