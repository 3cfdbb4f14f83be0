"""What the fuzzer found, kept as tests, and some hundred of its inputs for every parser: a million are a benchmark."""

from __future__ import annotations

import base64
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import AuditError, InputError, RejectedError
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys import key_block, pkcs8
from audit_pipeline.seal.keys.pkcs11_uri import parse_uri
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.statement import VERDICT_TYPE, Statement, Subject, make_statement
from audit_pipeline.seal.strict_json import strict_json
from audit_pipeline.seal.trust.file import read_trust
from audit_pipeline.seal.waiver import WAIVER_TYPE, check_waivers
from benchmarks.fuzz.block import fuzz, target_of
from benchmarks.fuzz.key_edits import element
from benchmarks.fuzz.target import Target
from benchmarks.fuzz.targets.private_keys import under_scrypt
from benchmarks.fuzz.targets.waivers import SIGNERS
from benchmarks.fuzz.watch import Watch, require
from benchmarks.seal_fuzz import PLAN

INPUTS = {"trust": 100, "private_keys": 400, "public_keys": 600}


@pytest.mark.parametrize("name", [name for name in PLAN if name != "device"])
def test_altered_inputs_are_refused_with_a_code_and_nothing_else(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(key_block, "Scrypt", key_block.Scrypt)  # type: ignore[attr-defined]  # the target changes it
    report = fuzz(target_of(name), f"a test of {name}", INPUTS.get(name, 1000))
    assert report["findings"] == []
    assert sum(times > 0 for times in report["codes"].values()) >= min(4, len(report["codes"]))


def faulty(watch: Watch, data: bytes) -> None:
    if len(data) == 3:
        raise IndexError
    if len(data) == 5:
        raise SystemExit
    if len(data) == 7:
        watch.ask(lambda: refuse("a.code", "\x1b[2J"))
    require(len(data) != 9, "taken")


def refuse(code: str, what: str) -> None:
    raise InputError(code, what)


def cut(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    return data[: draw.randrange(12)]


def test_the_fuzzer_tells_what_it_finds_with_the_input_that_shows_it() -> None:
    report = fuzz(Target((bytes(12),), cut, faulty, frozenset()), "seed", 200)
    found = {each["what"]: len(base64.b64decode(each["input"])) for each in report["findings"]}
    assert found == {
        "IndexError in test_seal_fuzz.py, faulty": 3,
        "SystemExit in test_seal_fuzz.py, faulty": 5,
        "a.code shows what no terminal should print": 7,
        "taken": 9,
    }


@pytest.mark.parametrize("length", [31, 33, 64])
def test_an_x25519_key_of_another_length_is_damaged(length: int) -> None:
    algorithm = element(0x30, element(0x06, bytes.fromhex("2b656e")))
    der = element(0x30, element(0x02, b"\0") + algorithm + element(0x04, element(0x04, bytes(length))))
    with pytest.raises(InputError) as caught:
        pkcs8.load_plain(der, where="k")
    assert caught.value.code == "keys.damaged"


def test_scrypt_that_costs_time_instead_of_memory_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        pkcs8.load_encrypted(under_scrypt(b"key", r=4096), b"passphrase", where="k")
    assert caught.value.code == "keys.cost"


def refused(path: Path, text: str) -> AuditError:
    path.write_text(text)
    with pytest.raises(AuditError) as caught:
        read_trust(path)
    return caught.value


def test_thousands_of_empty_entries_are_refused_at_once_and_in_few_words(tmp_path: Path) -> None:
    start = time.process_time()
    error = refused(tmp_path / "trust.yaml", f"revoked: [{'{},' * 3000}]")
    assert time.process_time() - start < 3
    assert len(str(error)) < 20_000
    assert "more problems" in error.what


def test_brackets_are_not_looked_ahead_of_beyond_the_depth_that_is_read(tmp_path: Path) -> None:
    start = time.process_time()
    assert refused(tmp_path / "trust.yaml", f"version: {'[' * 3000}").code == "trust.too-deep"
    assert time.process_time() - start < 0.2


@pytest.mark.parametrize("text", ['name: "\\U00110000"', f"%YAML 1.{'9' * 5000}\n---\nname: a"])
def test_escapes_and_versions_out_of_range_are_no_yaml(text: str, tmp_path: Path) -> None:
    assert refused(tmp_path / "trust.yaml", text).code == "trust.syntax"


def test_an_alias_that_no_terminal_should_print_is_told_in_escapes(tmp_path: Path) -> None:
    assert refused(tmp_path / "trust.yaml", "name: *a\u2028b").what.isprintable()


def test_json_is_neither_read_nor_repeated_beyond_what_anybody_needs() -> None:
    long = b'{"%b":1,"%b":2}' % ((b"k" * 100_000,) * 2)
    for data in (long, b"[" + b"{}," * (1 << 22) + b"{}]"):
        with pytest.raises(RejectedError) as caught:
            strict_json(data, code="attestation.json", where="envelope")
        assert len(caught.value.what) < 200


@pytest.mark.parametrize("uri", ["pkcs11:token=\udcff;object=a?module-path=/a", "pkcs11:token=é;object=a"])
def test_a_token_uri_of_bytes_that_are_no_text_is_refused(uri: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_uri(uri)
    assert caught.value.code == "signer.uri"


MODEL, POLICY, NOW = sha256_hex(b"model"), sha256_hex(b"policy"), "2026-06-01T00:00:00Z"
WAIVER = {
    "policy": {"sha256": POLICY},
    "rule": "fairness[0]",
    "group": "overall",
    "limit": 0.1,
    "reason": "a test",
    "issued": "2026-05-01T00:00:00Z",
    "expires": "2026-08-01T00:00:00Z",
}


@pytest.mark.parametrize(
    ("changed", "findings", "code"),
    [
        ({}, 0.5, "waiver.finding"),
        ({"issued": "9999-12-30T00:00:00Z", "expires": "9999-12-31T00:00:00Z"}, [], "waiver.not-yet"),
        ({"issued": "２０２６-05-01T00:00:00Z"}, [], "waiver.format"),
        ({"a\x1b[2J": 1}, [], "waiver.format"),
    ],
)
def test_a_signed_waiver_or_verdict_that_makes_no_sense_is_refused(
    changed: dict[str, Any], findings: Any, code: str
) -> None:
    group = {"rule": "fairness[0]", "group": {"by": [], "values": []}}
    payload = make_statement([Subject("model.tflite", MODEL)], WAIVER_TYPE, WAIVER | changed)
    found = [group] if findings == [] else findings
    predicate = {"waivers": [{"sha256": sha256_hex(payload)}], "findings": found}
    verdict = Statement((Subject("model.tflite", MODEL),), VERDICT_TYPE, predicate, "verdict")
    quorum = Quorum(tuple(signer.public for signer in SIGNERS), 2)
    with pytest.raises(RejectedError) as caught:
        check_waivers(verdict, [dsse.sign(payload, SIGNERS)], quorum, model_sha256=MODEL, policy_sha256=POLICY, now=NOW)
    assert caught.value.code == code
    assert caught.value.what.isprintable()
