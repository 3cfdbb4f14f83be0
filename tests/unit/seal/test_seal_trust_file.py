"""A trust file's form: strict where it is read, one text where it is written."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import jsonschema
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from key_samples import code_of
from ruamel.yaml import YAML
from trust_samples import document, keys, text

from audit_pipeline.errors import AuditError, InputError
from audit_pipeline.seal.keys.forms import fingerprint, spki
from audit_pipeline.seal.trust.checks import public_key
from audit_pipeline.seal.trust.file import read_trust, write_text
from audit_pipeline.seal.trust.schema import TrustDocument, TrustedKey, checked_document, trust_schema

PROJECT = Path(__file__).parents[3]
EXAMPLE = PROJECT / "signing" / "trust.example.yaml"
PUBLIC = base64.b64encode(spki(keys().release.public)).decode()


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.fixture
def refusal(tmp_path: Path):
    def of(old: str, new: str) -> InputError:
        path = tmp_path / "trust.yaml"
        assert old in text()
        path.write_text(text().replace(old, new, 1), encoding="utf-8")
        with pytest.raises(InputError) as caught:
            read_trust(path)
        return caught.value

    return of


def test_what_is_written_reads_back_equal(tmp_path: Path) -> None:
    path = tmp_path / "trust.yaml"
    path.write_bytes(write_text(document()))
    assert read_trust(path).value == document()


names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True) | st.sampled_from(
    ["null", "true", "1e5", "0x10", "007", "2026", "1.0", "No", ".5"[1:], "0o7"]
)
lines = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=60).filter(
    str.isprintable
)


@settings(max_examples=150, deadline=None)
@given(
    names=st.lists(names, min_size=3, max_size=3, unique=True),
    note=lines,
    reason=lines,
    name=st.from_regex(r"[a-z0-9][a-z0-9._-]{0,63}", fullmatch=True),
    digest=st.integers(0, 2**256 - 1),
)
def test_any_file_has_one_text_that_reads_back_equal(
    names: list[str], note: str, reason: str, name: str, digest: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root, release, spare = names
    role = {"keys": [release], "threshold": 1}
    made = checked_document(
        {
            "version": 1,
            "name": name,
            "serial": 1,
            "expires": "2027-05-04T00:00:00Z",
            "keys": {
                root: {"kind": "ed25519", "public": b64(spki(keys().roots[0].public))},
                release: {"kind": "p256", "public": b64(spki(keys().roots[2].public)), "note": note},
                spare: {"kind": "ed25519", "public": PUBLIC, "until": "2026-12-01T00:00:00Z"},
            },
            "roles": {"root": role | {"keys": [root]}, "image": role, "verdict": role, "release": role},
            "revoked": [{"fingerprint": f"{digest:064x}", "at": "2026-05-04T12:00:00Z", "reason": reason}],
        }
    )
    path = tmp_path_factory.getbasetemp() / "any-trust.yaml"
    path.write_bytes(write_text(made))
    assert read_trust(path).value == made
    assert write_text(read_trust(path).value) == path.read_bytes()


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_damage_to_a_file_is_anything_but_a_file_or_a_clear_error(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    raw = bytearray(text().encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    path = tmp_path_factory.getbasetemp() / "damaged-trust.yaml"
    path.write_bytes(raw)
    try:
        assert isinstance(read_trust(path).value, TrustDocument)
    except AuditError as error:
        assert error.code.startswith("trust.")


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("serial: 1", "seriel: 1", "trust.unknown-key", "did you mean serial?"),
        ("serial: 1", "serial: 1\nserial: 2", "trust.duplicate-key", "given twice"),
        ("    kind: ed25519", "    knid: ed25519", "trust.unknown-key", "did you mean kind?"),
        ("threshold: 2}", "treshold: 2}", "trust.unknown-key", "did you mean threshold?"),
        ("  image: {keys: [release], threshold: 1}\n", "", "trust.missing-key", "roles.image"),
        ("keys: [release]", "keys: [relase]", "trust.unknown-name", "did you mean release?"),
        ("keys: [release]", "keys: [release, release]", "trust.name-twice", "counts once"),
        ("kind: ed25519", "kind: p256", "trust.key", "of kind ed25519, not p256"),
        (
            "[approver-1, approver-2], threshold: 2",
            "[approver-1, approver-2], threshold: 3",
            "trust.threshold",
            "3 must",
        ),
        ("[approver-1, approver-2], threshold: 2", "[approver-1], threshold: 2", "trust.threshold", "only 1"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(old: str, new: str, code: str, words: str, refusal) -> None:
    error = refusal(old, new)
    assert error.code == code
    assert words in str(error)
    assert error.where.rsplit(":", 1)[1].isdecimal()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("threshold: 2}", "threshold: 0}"),
        ("serial: 1", "serial: 0"),
        ("serial: 1", "serial: '1'"),
        ("serial: 1", "serial: 1.0"),
        ("image: {keys: [release], threshold: 1}", "image: {keys: [release, root-1], threshold: 2}"),
        ("keys: [release]", "keys: []"),
        ("expires: 2027-05-04T00:00:00Z", "expires: 2027-05-04"),
        ("expires: 2027-05-04T00:00:00Z", "expires: 2027-02-30T00:00:00Z"),
        ("expires: 2027-05-04T00:00:00Z", "expires: 2027-05-04T00:00:00+02:00"),
        ("name: wearable", "name: ../wearable"),
        ("version: 1", "version: 2"),
        ("    kind: ed25519", '    note: "two\\nlines"\n    kind: ed25519'),
        ("    kind: ed25519", '    note: "\\u202egnp"\n    kind: ed25519'),
        ("    kind: ed25519", '    note: ""\n    kind: ed25519'),
    ],
)
def test_values_that_mean_nothing_here_are_refused(old: str, new: str, refusal) -> None:
    assert refusal(old, new).code.startswith("trust.")


def test_one_key_under_two_names_is_refused_wherever_it_stands(refusal) -> None:
    error = refusal("roles:", f"  again:\n    kind: ed25519\n    public: {PUBLIC}\nroles:")
    assert error.code == "trust.one-key-twice"
    assert "the same key as release" in error.what


@pytest.mark.parametrize("role", ["image", "verdict", "release"])
def test_who_releases_does_not_waive(refusal, role: str) -> None:
    error = refusal(f"{role}: {{keys: [release]", f"{role}: {{keys: [release, approver-2]")
    assert error.code == "trust.two-roles"
    assert f"approver-2 is in the {role} role too" in error.what


def test_an_x25519_key_may_be_listed_and_may_not_sign(tmp_path: Path) -> None:
    public = b64(spki(X25519PrivateKey.generate().public_key()))
    listed = f"  device:\n    kind: x25519\n    public: {public}\nroles:"
    path = tmp_path / "listed.yaml"
    path.write_text(text().replace("\nroles:", f"\n{listed}"), encoding="utf-8")
    assert "device" in read_trust(path).value.keys
    path.write_text(path.read_text().replace("verdict: {keys: [release]", "verdict: {keys: [device]"), encoding="utf-8")
    assert code_of(read_trust, path) == "trust.wrong-kind"


def test_a_revoked_key_in_a_role_is_refused(refusal) -> None:
    revoked = f"revoked:\n  - fingerprint: {fingerprint(keys().release.public)}\n    at: 2026-05-04T12:00:00Z\n"
    error = refusal("roles:", f"{revoked}    reason: stolen\nroles:")
    assert error.code == "trust.revoked"
    assert "release is revoked" in error.what


def test_a_key_revoked_twice_is_refused(refusal) -> None:
    entry = f"  - {{fingerprint: {'ab' * 32}, at: 2026-05-04T12:00:00Z, reason: stolen}}\n"
    assert refusal("roles:", f"revoked:\n{entry}{entry}roles:").code == "trust.revoked-twice"


def test_a_key_with_an_end_has_no_place_where_more_than_one_must_sign(refusal) -> None:
    public = b64(spki(keys().approvers[0].public))
    error = refusal(f"    public: {public}\n", f"    public: {public}\n    until: 2026-12-01T00:00:00Z\n")
    assert error.code == "trust.until-in-quorum"


def test_a_role_is_not_left_with_keys_that_run_out(refusal) -> None:
    error = refusal(f"    public: {PUBLIC}\n", f"    public: {PUBLIC}\n    until: 2026-12-01T00:00:00Z\n")
    assert error.code == "trust.threshold"


P256 = generate_private_key(SECP256R1()).public_key()
DER = spki(P256)
COMPRESSED = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + P256.public_bytes(
    Encoding.X962, PublicFormat.CompressedPoint
)


@pytest.mark.parametrize(
    "public",
    [
        "AAAA",
        "QUJD=",
        PUBLIC[:-1],
        PUBLIC + "AAAA",
        PUBLIC[:-2] + chr(ord(PUBLIC[-2]) + 1) + "=",
        b64(DER[:-1]),
        b64(DER + b"\0"),
        b64(COMPRESSED),
        b64(spki(generate_private_key(SECP384R1()).public_key())),
        b64(spki(keys().release.public)[:-32] + b"\x01" + bytes(31)),
    ],
    ids=["short", "padding", "cut", "longer", "spare-bits", "cut-der", "more-der", "compressed", "p384", "low-order"],
)
def test_a_public_key_has_one_encoding(public: str) -> None:
    for kind in ("ed25519", "p256"):
        assert code_of(public_key, TrustedKey.model_construct(kind=kind, public=public)) == "trust.key"


def test_nothing_is_written_that_would_be_too_large_to_read() -> None:
    reason = "\N{LATIN SMALL LETTER SHARP S}" * 500
    revoked = [{"fingerprint": f"{n:064x}", "at": "2026-05-04T12:00:00Z", "reason": reason} for n in range(1000)]
    values = document().model_dump(mode="json", exclude_none=True) | {"revoked": revoked}
    assert code_of(write_text, checked_document(values)) == "trust.too-large"


def test_every_problem_of_a_file_is_told_at_once(refusal) -> None:
    error = refusal(
        "image: {keys: [release], threshold: 1}\n  verdict: {keys: [release]",
        "image: {keys: [relase], threshold: 1}\n  verdict: {keys: [rlease]",
    )
    assert error.what.count("did you mean release?") == 2


def test_the_committed_schema_is_the_codes() -> None:
    committed = json.loads((PROJECT / "policies" / "trust.schema.json").read_text(encoding="utf-8"))
    assert committed == trust_schema(), "write it again: make schemas"


def test_the_schema_is_a_json_schema_that_takes_what_is_written() -> None:
    jsonschema.Draft202012Validator.check_schema(trust_schema())
    values = json.loads(document().model_dump_json(exclude_none=True))
    jsonschema.Draft202012Validator(trust_schema()).validate(values)


def test_the_example_is_a_trust_file_for_people_and_editors() -> None:
    assert read_trust(EXAMPLE).value.roles.waiver is not None
    assert EXAMPLE.read_text(encoding="utf-8").startswith(
        "# yaml-language-server: $schema=../policies/trust.schema.json\n"
    )
    values = YAML(typ="safe", pure=True).load(EXAMPLE)
    jsonschema.Draft202012Validator(trust_schema()).validate(json.loads(json.dumps(values, default=_utc)))


def _utc(value: object) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")  # type: ignore[attr-defined,no-any-return]
