"""in-toto statements: signed by the right key, and saying something else than what is wanted.

Nobody without a key gets this far. What is refused here is what one signer was talked into, or signed for another use.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from attack import Attacker, Family, View
from genuine import Genuine, Presented

from audit_pipeline.seal import dsse

STATEMENT = Family("in-toto statement")

Document = dict[str, Any]


def _signed_release(genuine: Genuine, change: Callable[[Document], object]) -> Presented:
    """The release changed before it was signed by the trusted key."""
    document = json.loads(base64.b64decode(json.loads(genuine.run.release)["payload"]))
    change(document)
    return genuine.shows(release=dsse.sign(json.dumps(document).encode(), [genuine.run.signer]))


def _enter(name: str, hope: str, code: str, change: Callable[[Document, Genuine], object]) -> None:
    @STATEMENT.attack(hope, code=code, view=View.ATTESTED, by=Attacker.INSIDER, name=name)
    def present(genuine: Genuine) -> Presented:
        return _signed_release(genuine, lambda document: change(document, genuine))


def _subject(document: Document) -> Document:
    """The subject that is the image."""
    found: Document = next(each for each in document["subject"] if each["name"] == "firmware.bin")
    return found


_enter(
    "pass off another predicate type",
    "what was signed as a build's provenance is read as a release",
    "attestation.predicate-type",
    lambda document, _: document.update(predicateType="https://slsa.dev/provenance/v1"),
)
_enter(
    "pass off an older statement type",
    "other rules hold for version 0.1",
    "attestation.statement",
    lambda document, _: document.update(_type="https://in-toto.io/Statement/v0.1"),
)
_enter(
    "add a field to the statement",
    "a field that another reader acts on",
    "attestation.statement",
    lambda document, _: document.update(approved=True),
)
_enter(
    "name the image in the predicate only",
    "a reader of the predicate and one of the subjects see two releases",
    "release.image",
    lambda document, genuine: _subject(document)["digest"].update(sha256=genuine.older.image_sha256),
)
_enter(
    "leave the image out of the subjects",
    "a release of every file but the image",
    "release.image",
    lambda document, _: document.update(subject=[{"name": "model.tflite", "digest": {"sha256": "0" * 64}}]),
)
_enter(
    "give no subject",
    "a release of nothing is a release of anything",
    "attestation.statement",
    lambda document, _: document.update(subject=[]),
)
_enter(
    "write the digest in capitals",
    "two spellings of one digest: lists of revoked digests miss one",
    "attestation.statement",
    lambda document, genuine: _subject(document)["digest"].update(sha256=genuine.run.image_sha256.upper()),
)
_enter(
    "give a digest of another algorithm only",
    "a digest that is not compared",
    "attestation.statement",
    lambda document, _: _subject(document).update(digest={"md5": "0" * 32}),
)
_enter(
    "add a digest of another algorithm",
    "two readers compare two digests",
    "attestation.statement",
    lambda document, _: _subject(document)["digest"].update(sha1="0" * 40),
)
_enter(
    "name the image among the subjects only",
    "a digest counts wherever it stands: the release of another image lists this one as a file",
    "release.image",
    lambda document, genuine: document["predicate"]["image"].update(sha256=genuine.older.image_sha256),
)
_enter(
    "give two subjects of one name",
    "the image and another one, both called firmware.bin",
    "attestation.statement",
    lambda document, genuine: document["subject"].append(
        {"name": "firmware.bin", "digest": {"sha256": genuine.older.image_sha256}}
    ),
)
_enter(
    "name another verdict in the release",
    "a release that leans on another run's verdict",
    "release.verdict",
    lambda document, _: document["predicate"]["verdict"].update(sha256="0" * 64),
)
_enter(
    "leave the verdict out of the release",
    "a release that leans on none",
    "attestation.predicate",
    lambda document, _: document["predicate"].pop("verdict"),
)
_enter(
    "name another version in the release",
    "the log shows an update that never was one",
    "release.version",
    lambda document, _: document["predicate"]["image"].update(version="9.9.9"),
)
_enter(
    "name another security counter in the release",
    "the log counts what no device counts",
    "release.security-counter",
    lambda document, _: document["predicate"]["image"].update(security_counter=0xFFFF),
)
_enter(
    "name another signer in the release",
    "the log blames another key",
    "release.signer",
    lambda document, _: document["predicate"]["image"].update(signer="0" * 64),
)
_enter(
    "name another device in the release",
    "an image for one device class is released for another",
    "release.device",
    lambda document, _: document["predicate"]["image"].update(
        device={"vendor": "wearables.example", "class": "strap", "depends_on": None}
    ),
)
_enter(
    "name the signing key as the device's",
    "every device holds the key that signs",
    "image.one-key-two-roles",
    lambda document, _: document["predicate"]["image"].update(recipient=document["predicate"]["image"]["signer"]),
)
_enter(
    "write the counter as a float",
    "7.0 is 7 to Python",
    "release.security-counter",
    lambda document, _: document["predicate"]["image"].update(security_counter=7.0),
)
_enter(
    "write the counter as a boolean",
    "1, 1.0 and true are equal to Python",
    "release.security-counter",
    lambda document, _: document["predicate"]["image"].update(security_counter=True),
)


@STATEMENT.attack("two readers see two verdicts", code="attestation.json", view=View.ATTESTED, by=Attacker.INSIDER)
def write_a_key_of_the_statement_twice(genuine: Genuine) -> Presented:
    payload = base64.b64decode(json.loads(genuine.run.release)["payload"])
    twice = payload.replace(b'"predicateType":', b'"predicateType":"https://example.com/other","predicateType":', 1)
    return genuine.shows(release=dsse.sign(twice, [genuine.run.signer]))


@STATEMENT.attack("a number that keeps a reader busy", code="attestation.json", view=View.ATTESTED, by=Attacker.INSIDER)
def write_a_number_of_a_million_digits(genuine: Genuine) -> Presented:
    payload = base64.b64decode(json.loads(genuine.run.release)["payload"])
    long = payload.replace(b'"security_counter":7', b'"security_counter":' + b"7" * 1_000_000)
    return genuine.shows(release=dsse.sign(long, [genuine.run.signer]))


@STATEMENT.attack("a statement that is no JSON", code="attestation.json", view=View.ATTESTED, by=Attacker.INSIDER)
def sign_something_that_is_no_statement(genuine: Genuine) -> Presented:
    return genuine.shows(release=dsse.sign(b"release everything", [genuine.run.signer]))


@STATEMENT.attack("the release where the verdict belongs", code="attestation.predicate-type", view=View.ATTESTED)
def give_the_release_for_the_verdict(genuine: Genuine) -> Presented:
    return genuine.shows(verdict=genuine.run.release)


@STATEMENT.attack("the verdict where the release belongs", code="attestation.predicate-type", view=View.ATTESTED)
def give_the_verdict_for_the_release(genuine: Genuine) -> Presented:
    return genuine.shows(release=genuine.run.verdict)
