"""Who vouches for a trust file, until when, and what follows from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from key_samples import code_of
from trust_samples import EXPIRES, NOW, document, keys, put, text

from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.forms import fingerprint
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.trust.changes import Rotation
from audit_pipeline.seal.trust.envelope import PAYLOAD_TYPE, envelope_path
from audit_pipeline.seal.trust.file import write_text
from audit_pipeline.seal.trust.load import load_trust

ROOTS = keys().roots


def prints(found: tuple) -> list[str]:
    return [fingerprint(key) for key in found]


def test_what_two_of_three_pinned_roots_signed_gives_keys_and_thresholds_by_role(tmp_path: Path) -> None:
    trust = load_trust(put(tmp_path), keys().pinned, NOW).trust()
    release = [fingerprint(keys().release.public)]
    assert prints(trust.image) == prints(trust.verdict.keys) == prints(trust.release.keys) == release
    assert trust.waiver is not None
    assert prints(trust.waiver.keys) == prints(tuple(key.public for key in keys().approvers))
    assert (trust.verdict.threshold, trust.release.threshold, trust.waiver.threshold) == (1, 1, 2)


def test_a_file_without_a_waiver_role_lets_nobody_waive(tmp_path: Path) -> None:
    content = "\n".join(line for line in text().splitlines() if not line.startswith("  waiver:")) + "\n"
    assert load_trust(put(tmp_path, content), keys().pinned, NOW).trust().waiver is None


@pytest.mark.parametrize("pair", [(0, 1), (0, 2), (1, 2), (2, 0)])
def test_any_two_roots_will_do_of_either_kind_of_key(pair: tuple[int, int], tmp_path: Path) -> None:
    load_trust(put(tmp_path, signers=[ROOTS[place] for place in pair]), keys().pinned, NOW)


@pytest.mark.parametrize(
    ("signers", "code"),
    [
        ([], "trust.unsigned"),
        ([ROOTS[0]], "trust.signature"),
        ([ROOTS[0], ROOTS[0]], "trust.signature"),
        ([ROOTS[0], keys().new], "trust.signature"),
        ([ROOTS[0], keys().release], "trust.signature"),
        ([keys().new], "trust.signature"),
    ],
)
def test_fewer_signatures_of_distinct_roots_are_not_enough(signers: list, code: str, tmp_path: Path) -> None:
    with pytest.raises(RejectedError) as refusal:
        load_trust(put(tmp_path, signers=signers), keys().pinned, NOW)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("signers", "said", "next_"),
    [
        ([ROOTS[0]], "1 of the 2 root keys that must sign have signed: root-1", "1 more of root-2, root-3 must"),
        ([keys().new], "0 of the 2 root keys that must sign have signed: nobody", "2 more of root-1, root-2, root-3"),
    ],
)
def test_who_signed_and_who_still_must_is_said(signers: list, said: str, next_: str, tmp_path: Path) -> None:
    with pytest.raises(RejectedError) as refusal:
        load_trust(put(tmp_path, signers=signers), keys().pinned, NOW)
    assert said in refusal.value.what
    assert next_ in (refusal.value.hint or "")
    assert "audit keys trust sign" in (refusal.value.hint or "")


def test_the_file_cannot_vouch_for_itself(tmp_path: Path) -> None:
    path = put(tmp_path)
    assert code_of(load_trust, path, (keys().new.public,), NOW) == "trust.root-not-pinned"
    assert code_of(load_trust, path, (), NOW) == "trust.no-root"


def test_a_root_that_is_not_pinned_does_not_count(tmp_path: Path) -> None:
    path = put(tmp_path)
    assert code_of(load_trust, path, (ROOTS[0].public,), NOW) == "trust.root-not-pinned"
    assert code_of(load_trust, path, (ROOTS[0].public, ROOTS[2].public), NOW) == "trust.signature"


def test_one_pinned_root_given_twice_is_one(tmp_path: Path) -> None:
    path = put(tmp_path)
    assert code_of(load_trust, path, (ROOTS[0].public, ROOTS[0].public), NOW) == "trust.root-not-pinned"


def test_one_stolen_root_cannot_lower_the_threshold_to_itself(tmp_path: Path) -> None:
    lowered = text().replace("[root-1, root-2, root-3], threshold: 2", "[root-1, root-2, root-3], threshold: 1")
    path = put(tmp_path, lowered, [ROOTS[0]])
    assert code_of(load_trust, path, keys().pinned, NOW) == "trust.signature"
    assert code_of(load_trust, path, (ROOTS[0].public, ROOTS[1].public), NOW) == "trust.signature"
    load_trust(path, (ROOTS[0].public,), NOW)  # who pins only the stolen key is lost


def test_a_root_that_the_others_replaced_does_not_count_though_it_is_pinned(tmp_path: Path) -> None:
    rotated = Rotation("root-1", "root-4", keys().new.public, "lost").made(document(), NOW)
    content = write_text(rotated).decode()
    assert code_of(load_trust, put(tmp_path, content, ROOTS[:2]), keys().pinned, NOW) == "trust.signature"
    load_trust(put(tmp_path, content, ROOTS[1:]), keys().pinned, NOW)


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw + b"\n",
        lambda raw: raw.replace(b"serial: 1", b"serial: 2"),
        lambda raw: raw.replace(b"\n", b"\r\n"),
        lambda raw: b"\xef\xbb\xbf" + raw,
        lambda raw: raw.replace(b"threshold: 2", b"threshold: 1", 1),
    ],
)
def test_other_bytes_than_those_that_were_signed_are_refused(change, tmp_path: Path) -> None:
    path = put(tmp_path)
    path.write_bytes(change(path.read_bytes()))
    assert code_of(load_trust, path, keys().pinned, NOW).startswith("trust.")


def test_a_file_that_was_changed_and_not_signed_again_is_told_apart(tmp_path: Path) -> None:
    path = put(tmp_path)
    path.write_bytes(path.read_bytes() + b"# fine\n")
    assert code_of(load_trust, path, keys().pinned, NOW) == "trust.other-bytes"


@pytest.mark.parametrize(
    "envelope",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        b"\xff",
        dsse.sign(text().encode(), ROOTS[:2]),
        dsse.sign(text().encode(), ROOTS[:2], payload_type="application/vnd.audit.trust+json"),
    ],
)
def test_what_is_no_envelope_of_a_trust_file_is_refused(envelope: bytes, tmp_path: Path) -> None:
    path = put(tmp_path)
    envelope_path(path).write_bytes(envelope)
    assert code_of(load_trust, path, keys().pinned, NOW) == "trust.envelope"


def test_a_trust_files_signature_is_none_on_an_attestation(tmp_path: Path) -> None:
    envelope = dsse.sign(b"{}", ROOTS[:2], payload_type=PAYLOAD_TYPE)
    assert code_of(dsse.verify, envelope, Quorum(keys().pinned), where="x") == "attestation.payload-type"


@pytest.mark.parametrize(
    ("now", "held"),
    [
        ("2027-05-03T23:59:59Z", True),
        (EXPIRES, False),
        ("2027-05-04T01:59:59+02:00", True),
        ("2027-05-04T02:00:00+02:00", False),
        ("2030-01-01T00:00:00.5Z", False),
    ],
)
def test_a_file_is_believed_until_it_expires(now: str, held: bool, tmp_path: Path) -> None:
    path = put(tmp_path)
    if held:
        load_trust(path, keys().pinned, now)
        return
    with pytest.raises(RejectedError) as refusal:
        load_trust(path, keys().pinned, now)
    assert refusal.value.code == "trust.expired"
    assert refusal.value.where == f"{path}:{text().splitlines().index(f'expires: {EXPIRES}') + 1}"


def test_a_key_kept_until_a_day_counts_beside_its_successor_and_then_no_more(tmp_path: Path) -> None:
    until = "2026-08-01T00:00:00Z"
    rotated = Rotation("release", "next", keys().new.public, "yearly", until).made(document(), NOW)
    path = put(tmp_path, write_text(rotated).decode())
    both = prints((keys().new.public, keys().release.public))
    before = load_trust(path, keys().pinned, NOW).trust()
    assert prints(before.image) == prints(before.verdict.keys) == both
    after = load_trust(path, keys().pinned, until).trust()
    assert prints(after.image) == prints(after.verdict.keys) == both[:1]


def test_an_envelope_that_is_a_folder_or_endless_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, signers=[])
    envelope_path(path).mkdir()
    assert code_of(load_trust, path, keys().pinned, NOW) == "trust.unreadable"
    envelope_path(path).rmdir()
    envelope_path(path).symlink_to("/dev/zero")
    assert code_of(load_trust, path, keys().pinned, NOW) == "trust.unreadable"
    envelope_path(path).unlink()
    envelope_path(path).write_bytes(b" " * ((1 << 19) + 1))
    assert code_of(load_trust, path, keys().pinned, NOW) == "trust.too-large"


def test_a_file_that_contradicts_itself_is_an_error_of_input_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        load_trust(put(tmp_path, text().replace("[release]", "[relase]", 1)), keys().pinned, NOW)
    assert refusal.value.code == "trust.unknown-name"
    assert "did you mean release?" in refusal.value.what
