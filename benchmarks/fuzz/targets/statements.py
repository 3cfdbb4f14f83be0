"""in-toto statements: verdicts and releases, altered, signed again by who is trusted, and held against an image."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.seal.statement import RELEASE_TYPE, VERDICT_TYPE, read_statement
from audit_pipeline.seal.verify import verify
from benchmarks.fuzz.codes import codes_of
from benchmarks.fuzz.forge import rebound
from benchmarks.fuzz.json_edits import edit_json
from benchmarks.fuzz.samples import POLICY, Genuine, genuine, trust
from benchmarks.fuzz.target import Target
from benchmarks.fuzz.watch import Watch, require

_WHERE, _NOW = "statement", "2026-06-01T00:00:00Z"


def target() -> Target:
    """What is accepted says of the image, in another reader's words too, what it must say."""
    sealed = genuine()[:2]
    compared = {code for code in codes_of(["attested"]) if code.startswith(("release.", "verdict.", "attestation."))}
    documented = codes_of(["statement"]) | compared | {"attestation.json"}
    return Target((*(each.verdict for each in sealed), *(each.release for each in sealed)), _alter, _judge, documented)


def _alter(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    if draw.random() < 0.3:
        return _revalued(draw, draw.choice(others))
    return edit_json(draw, data, others)


def _revalued(draw: Random, data: bytes) -> bytes:
    """A text or number that stands in the statement as another one, everywhere or once."""
    words = [word for word in data.replace(b":", b",").replace(b'"', b",").split(b",") if word.strip(b"{}[]")]
    odd = (
        b"0",
        b"1",
        b"true",
        b"null",
        b"[]",
        b"FAIL",
        b"1.4.0",
        b"1.4.0+8",
        b"8",
        b"7.0",
        b"a" * 64,
        draw.choice(words),
    )
    return data.replace(draw.choice(words), draw.choice(odd), draw.choice((1, -1)))


def _judge(watch: Watch, data: bytes) -> None:
    sealed = genuine()[
        sha256_hex(genuine()[1].model).encode() in data or sha256_hex(genuine()[1].image).encode() in data
    ]
    if watch.ask(lambda: read_statement(data, VERDICT_TYPE, where=_WHERE)) is not None:
        _judge_verdict(watch, data, sealed)
    elif watch.ask(lambda: read_statement(data, RELEASE_TYPE, where=_WHERE)) is not None:
        _judge_release(watch, data, sealed)


def _judge_verdict(watch: Watch, data: bytes, sealed: Genuine) -> None:
    if len(data) % 8 == 0:
        companions = sealed.with_payloads(data, sealed.release)
        report = watch.ask(lambda: verify(sealed.image, trust=trust(), companions=companions, now=_NOW))
        require(report is None or data == sealed.verdict, "an image is accepted with another verdict than it names")
    image = rebound(sealed, sha256_hex(data))
    release = sealed.release
    for old, new in ((sealed.image, image), (sealed.verdict, data)):
        release = release.replace(sha256_hex(old).encode(), sha256_hex(new).encode())
    companions = sealed.with_payloads(data, release)
    if watch.ask(lambda: verify(image, trust=trust(), companions=companions, now=_NOW)) is None:
        return
    said: Any = json.loads(data)
    predicate = said["predicate"]
    require(predicate["verdict"]["outcome"] == "PASS", "a verdict that is not PASS is accepted")
    require(predicate["policy"]["sha256"] == sha256_hex(POLICY), "a verdict under another policy is accepted")
    require(_is_about(said, sealed.model), "a verdict about another model is accepted")


def _judge_release(watch: Watch, data: bytes, sealed: Genuine) -> None:
    companions = sealed.with_payloads(sealed.verdict, data)
    report = watch.ask(lambda: verify(sealed.image, trust=trust(), companions=companions, recipient=sealed.recipient))
    if report is None:
        return
    said: Any = json.loads(data)
    image, genuine_image = said["predicate"]["image"], json.loads(sealed.release)["predicate"]["image"]
    for key, value in genuine_image.items():
        require(repr(image[key]) == repr(value) or isinstance(value, dict), f"a release with another {key} is accepted")
    require(_is_about(said, sealed.image), "a release about other bytes is accepted")


def _is_about(statement: Any, content: bytes) -> bool:
    return any(subject["digest"]["sha256"] == sha256_hex(content) for subject in statement["subject"])
