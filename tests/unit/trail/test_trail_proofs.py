"""Proofs out of a real trail, checked with nothing but heads that were acknowledged before."""

from __future__ import annotations

import pytest

from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.trail.merkle import EMPTY_ROOT, TreeHead
from audit_pipeline.trail.proofs import check_consistency, check_inclusion

AT = "2026-05-04T12:00:00Z"


@pytest.fixture
def heads(trail):
    """What each append gave back, the empty log first."""
    appended = [trail.append("data", run="run", at=AT, body={"n": n}).head for n in range(20)]
    return [TreeHead(0, EMPTY_ROOT.hex()), *appended]


def test_each_head_that_was_acknowledged_is_found_again(trail, heads):
    assert [trail.root_at(size) for size in range(21)] == heads


def test_every_entry_is_proven_in_every_log_that_holds_it(trail, heads):
    for entry in trail.entries():
        for head in heads[entry.index + 1 :]:
            check_inclusion(head, entry.index, entry.leaf_hash, trail.inclusion(entry.index, head.size))


def test_every_log_is_proven_to_extend_every_smaller_one(trail, heads):
    for new in heads:
        for old in heads[: new.size + 1]:
            check_consistency(old, new, trail.consistency(old.size, new.size))


def test_without_a_size_the_log_as_it_is_now_is_meant(trail, heads):
    assert trail.inclusion(3) == trail.inclusion(3, 20)
    assert trail.consistency(3) == trail.consistency(3, 20)


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda trail: trail.root_at(21), "trail.no-such-size"),
        (lambda trail: trail.root_at(-1), "trail.no-such-size"),
        (lambda trail: trail.inclusion(20), "trail.no-such-entry"),
        (lambda trail: trail.inclusion(-1), "trail.no-such-entry"),
        (lambda trail: trail.inclusion(3, 3), "trail.no-such-entry"),
        (lambda trail: trail.inclusion(3, 21), "trail.no-such-size"),
        (lambda trail: trail.consistency(21), "trail.no-such-size"),
        (lambda trail: trail.consistency(5, 4), "trail.no-such-size"),
        (lambda trail: trail.consistency(-1, 4), "trail.no-such-size"),
        (lambda trail: trail.consistency(4, 10**30), "trail.no-such-size"),
    ],
)
def test_of_what_the_log_never_held_there_is_no_proof(trail, heads, ask, code):
    with pytest.raises(InputError) as refusal:
        ask(trail)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "statement",
    [
        'DELETE FROM entry WHERE "index" = 7',
        """UPDATE entry SET nodes = '' WHERE "index" = 7""",
        """UPDATE entry SET nodes = 'zz' WHERE "index" = 7""",
        """UPDATE entry SET nodes = substr(nodes, 3) WHERE "index" = 7""",
    ],
)
def test_a_node_that_is_gone_is_named_and_not_guessed(trail, heads, rewrite, statement):
    rewrite(statement)
    with pytest.raises(RejectedError, match="entry 7 was changed"):
        trail.inclusion(12)


def test_a_node_that_was_altered_gives_a_proof_that_does_not_hold(trail, heads, rewrite):
    rewrite("""UPDATE entry SET nodes = replace(nodes, substr(nodes, 1, 4), 'abcd') WHERE "index" = 7""")
    entry = list(trail.entries())[4]
    with pytest.raises(RejectedError) as refusal:
        check_inclusion(heads[8], 4, entry.leaf_hash, trail.inclusion(4, 8))
        check_inclusion(heads[16], 12, entry.leaf_hash, trail.inclusion(12, 16))
    assert refusal.value.code == "proof.inclusion"
