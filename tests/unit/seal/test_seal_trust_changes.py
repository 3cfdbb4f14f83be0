"""What a rotation and a revocation make of a trust file, and when they cannot be."""

from __future__ import annotations

import pytest
from key_samples import code_of
from trust_samples import EXPIRES, NOW, document, keys

from audit_pipeline.errors import InputError
from audit_pipeline.seal.keys.forms import fingerprint
from audit_pipeline.seal.trust.changes import Revocation, Rotation, first_trust
from audit_pipeline.seal.trust.checks import disagreements
from audit_pipeline.seal.trust.file import write_text
from audit_pipeline.seal.trust.listing import Revoked, listed_keys

NEW = keys().new.public
UNTIL = "2026-08-01T00:00:00Z"


def test_a_rotation_hands_over_every_role_and_revokes_the_old_key() -> None:
    after = Rotation("release", "next", NEW, "yearly").made(document(), NOW)
    assert {role: given.keys for role, given in after.roles.given().items()} == {
        "root": ("root-1", "root-2", "root-3"),
        "image": ("next",),
        "verdict": ("next",),
        "release": ("next",),
        "waiver": ("approver-1", "approver-2"),
    }
    assert (after.serial, [entry.reason for entry in after.revoked]) == (2, ["yearly"])
    assert after.revoked[0].fingerprint == fingerprint(keys().release.public)
    assert not disagreements(after)


def test_a_rotation_with_a_day_keeps_both_and_revokes_none() -> None:
    after = Rotation("release", "next", NEW, "yearly", UNTIL).made(document(), NOW)
    assert after.roles.image.keys == ("next", "release")
    assert (after.keys["release"].until, after.revoked) == (UNTIL, ())
    assert not disagreements(after)


def test_a_key_of_a_quorum_is_not_kept_beside_its_successor() -> None:
    after = Rotation("approver-1", "next", NEW, "yearly", UNTIL).made(document(), NOW)
    assert code_of(write_text, after) == "trust.until-in-quorum"


def test_a_revocation_takes_a_key_out_of_every_role_and_keeps_its_name() -> None:
    after = Revocation("root-1", "lost").made(document(), NOW)
    assert after.roles.root.keys == ("root-2", "root-3")
    assert "root-1" in after.keys
    assert not disagreements(after)


@pytest.mark.parametrize("name", ["release", "approver-1"])
def test_a_role_is_not_left_without_enough_keys(name: str) -> None:
    with pytest.raises(InputError) as refusal:
        Revocation(name, "stolen").made(document(), NOW)
    assert refusal.value.code == "trust.threshold"
    assert f"audit keys rotate {name}" in (refusal.value.hint or "")


def test_a_successor_that_takes_over_makes_room_for_the_revocation() -> None:
    overlapping = Rotation("release", "next", NEW, "yearly", UNTIL).made(document(), NOW)
    assert Revocation("release", "stolen").made(overlapping, NOW).roles.image.keys == ("next",)
    assert code_of(Revocation("next", "stolen").made, overlapping, NOW) == "trust.threshold"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (Revocation("relase", "stolen"), "trust.unknown-name"),
        (Revocation("root-1", ""), "trust.invalid"),
        (Revocation("root-1", "two\nlines"), "trust.invalid"),
        (Revocation("root-1", "\x1b[2J"), "trust.invalid"),
        (Rotation("release", "root-1", NEW, "yearly"), "trust.name-taken"),
        (Rotation("release", "release", NEW, "yearly"), "trust.name-taken"),
        (Rotation("release", "../next", NEW, "yearly"), "trust.invalid"),
        (Rotation("release", "next", NEW, "yearly", "tomorrow"), "trust.invalid"),
    ],
)
def test_changes_that_cannot_be_are_refused(change, code: str) -> None:
    assert code_of(change.made, document(), NOW) == code


def test_a_key_is_not_replaced_by_itself_or_by_one_that_was_revoked() -> None:
    assert code_of(write_text, Rotation("release", "again", keys().release.public, "x").made(document(), NOW)) in {
        "trust.one-key-twice",
        "trust.revoked",
    }
    revoked = Revocation("root-1", "lost").made(document(), NOW)
    back = Rotation("release", "back", keys().roots[0].public, "x").made(revoked, NOW)
    assert code_of(write_text, back) in {"trust.one-key-twice", "trust.revoked"}
    assert code_of(Revocation("root-1", "again").made, revoked, NOW) == "trust.revoked-twice"


def test_the_trail_is_told_who_was_replaced_by_whom_and_why() -> None:
    said = Rotation("release", "next", NEW, "yearly", UNTIL).said(document())
    assert said == {
        "action": "rotate",
        "old": {"name": "release", "kind": "ed25519", "fingerprint": fingerprint(keys().release.public)},
        "old_until": UNTIL,
        "new": {"name": "next", "kind": "ed25519", "fingerprint": fingerprint(NEW)},
        "roles": ["image", "verdict", "release"],
        "reason": "yearly",
    }


def test_the_same_change_of_the_same_file_gives_the_same_bytes() -> None:
    change = Rotation("release", "next", NEW, "yearly")
    assert write_text(change.made(document(), NOW)) == write_text(change.made(document(), NOW))
    assert write_text(change.made(document(), NOW)) != write_text(change.made(document(), UNTIL))


def test_a_first_file_asks_for_a_majority_of_roots_and_two_who_waive() -> None:
    assert {role: given.threshold for role, given in document().roles.given().items()} == {
        "root": 2,
        "image": 1,
        "verdict": 1,
        "release": 1,
        "waiver": 2,
    }


def test_two_keys_of_one_name_are_refused_in_a_first_file() -> None:
    one, other = {"release": keys().release.public}, {"release": NEW}
    roles = {"root": {"root": keys().roots[0].public}, "image": one, "verdict": other, "release": one}
    assert code_of(first_trust, "wearable", EXPIRES, roles, {}) == "trust.name-taken"


def test_the_list_says_the_state_of_every_key() -> None:
    after = Revocation("root-1", "lost").made(document(), NOW)
    after = Rotation("release", "next", NEW, "yearly", UNTIL).made(after, NOW)

    def states(now: str) -> dict[str, str]:
        return {row.name: row.state for row in listed_keys(after, now)}

    assert states(NOW) == {
        "root-1": "revoked",
        "root-2": "active",
        "root-3": "active",
        "release": f"until {UNTIL}",
        "next": "active",
        "approver-1": "active",
        "approver-2": "active",
    }
    assert states(UNTIL)["release"] == f"ran out {UNTIL}"
    row = listed_keys(after, NOW)[0]
    assert (row.roles, row.revoked) == ((), Revoked(NOW, "lost"))
