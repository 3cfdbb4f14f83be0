"""A body that follows from what is recorded is asked in the transaction of its entry, on every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from audit_pipeline.errors import InputError
from audit_pipeline.journal import Journal
from audit_pipeline.policy_part import PolicyPart
from audit_pipeline.trail.log import Trail

NOW = "2026-05-04T12:00:00Z"


def test_a_body_is_told_what_is_recorded_by_run_and_kind(trail):
    trail.append("policy", run="a", at=NOW, body={"number": 0})
    trail.append("data", run="a", at=NOW, body={"number": 1})
    trail.append("policy", run="b", at=NOW, body={"number": 2})

    def body(recorded):
        asked = ({}, {"run": "a"}, {"kind": "policy"}, {"run": "a", "kind": "policy"})
        return {"seen": [[entry.body["number"] for entry in recorded(**each)] for each in asked]}

    receipt = trail.append("model", run="c", at=NOW, body=body)
    assert receipt.entry.body == {"seen": [[0, 1, 2], [0, 1], [0, 2], [0]]}


def test_a_body_that_cannot_be_given_leaves_nothing(trail):
    def refuse(recorded):
        raise InputError("run.known", "no")

    with pytest.raises(InputError):
        trail.append("policy", run="a", at=NOW, body=refuse)
    assert trail.head().size == 0
    trail.append("policy", run="a", at=NOW, body={})
    assert trail.verify().size == 1


def test_of_bodies_asked_at_once_each_sees_those_before_it(address):
    def append(number):
        with Trail.open(address) as trail:
            trail.append("data", run=f"r{number}", at=NOW, body=lambda recorded: {"before": len([*recorded()])})

    Trail.open(address).close()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(append, range(12)))
    with Trail.open(address, create=False) as trail:
        assert [entry.body["before"] for entry in trail.entries()] == list(range(12))


def test_a_policy_is_held_against_the_one_before_it(trail):
    def begin(run, limit):
        rules = {"fairness": [{"metric": "accuracy", "min": limit, "groups": ["overall"]}]}
        part = PolicyPart(name="p", file="p.yaml", sha256="0" * 64, document={"human_centred": {}, **rules})
        return Journal(trail, run, lambda: NOW).begin(part, "1" * 64)[1].changed

    assert begin("a", 0.9) is None
    trail.append("verdict", run="a", at=NOW, body={"outcome": "FAIL"})
    changed = begin("b", 0.8)
    assert (changed.run, changed.outcome, changed.loosened[0].after) == ("a", "FAIL", 0.8)
