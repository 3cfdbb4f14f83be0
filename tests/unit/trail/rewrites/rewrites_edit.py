"""Entries that say something else than they did."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from rewrite import Family
from story import Story, Told, digest, index

EDITS = Family("edit")

_OLD, _NEW = ("summer", "autumn")


def _body(name: str, kind: str, run: str, change: Callable[[dict[str, Any]], object], number: int = 0) -> None:
    EDITS.retold(name, lambda told: change(told[index(kind, run, number)]["body"]) and None)


def _entry(name: str, of: str, in_run: str, **fields: str) -> None:
    def change(told: Story) -> None:
        told[index(of, in_run)].update(fields)  # type: ignore[typeddict-item]

    EDITS.retold(name, change)


def _set(**values: Any) -> Callable[[dict[str, Any]], object]:
    return lambda body: body.update(values)


def _finding(**values: Any) -> Callable[[dict[str, Any]], object]:
    return lambda body: body["findings"][0].update(values)


def _everywhere(name: str, change: Callable[[Told], object]) -> None:
    EDITS.retold(name, lambda told: [change(entry) for entry in told] and None)


def _text(old: str, new: str) -> Callable[[Story], Story]:
    def change(told: Story) -> Story:
        text = json.dumps(told, ensure_ascii=False)
        assert old in text
        changed: Story = json.loads(text.replace(old, new))
        return changed

    return change


# A verdict that was otherwise.
_body("turn a FAIL into a PASS", "verdict", "spring", _set(outcome="PASS", reasons=[]))
_body("turn a FAIL into INCONCLUSIVE", "verdict", "spring", _set(outcome="INCONCLUSIVE"))
_body("take the reasons out of a FAIL", "verdict", "spring", _set(reasons=[]))
_body("blame another group in a verdict's reasons", "verdict", "spring", _set(reasons=["recall fell in sex=male"]))
_body("take the waiver out of a waived PASS", "verdict", "autumn", _set(waivers=[]))
_body("put another waiver under a waived PASS", "verdict", "autumn", _set(waivers=[digest("e")]))
EDITS.retold("turn every FAIL into a PASS", _text("FAIL", "PASS"))

# A policy that was laxer, or whose author was another, all along.
_body("loosen the policy that failed", "policy", "spring", _set(rules=[{"max_drop": 0.4}]))
_body("write the loosened limit into both policies", "policy", "spring", _set(rules=[{"max_drop": 0.2}]))
_body("tighten the policy that was loosened", "policy", "summer", _set(rules=[{"max_drop": 0.1}]))
_body("another author of the policy", "policy", "spring", _set(author="nobody"))
_body("another digest of the policy", "policy", "spring", _set(sha256=digest("f")))
_body("take the rules out of the policy", "policy", "spring", lambda body: body.pop("rules"))
_body("add a rule that nobody agreed on", "policy", "spring", lambda body: body["rules"].append({"min": 0.5}))

# Data that were others, or had no basis.
_body("another data set's digest", "data", "spring", _set(sha256=digest("f")))
_body("another lawful basis", "data", "spring", _set(lawful_basis="legitimate interest"))
_body("keep the data for longer", "data", "summer", _set(retention_until="2060-01-01"))
_body("keep the data for ever", "data", "summer", lambda body: body.pop("retention_until"))

# A model or candidate that was another.
_body("another model's digest", "model", "spring", _set(sha256=digest("f")))
_body("another format of the model", "model", "summer", _set(format="keras-zip"))
_body("a recipe that was not tried", "candidate", "spring", _set(recipe=["int8"]))
_body("another candidate's digest", "candidate", "summer", _set(sha256=digest("f")))

# Figures that were otherwise.
_body("lower a harm", "findings", "spring", _finding(value=0.03))
_body("lower a harm by a thousandth", "findings", "spring", _finding(value=0.309))
_body("raise a limit", "findings", "spring", _finding(limit=0.5))
_body("make a p-value unsure", "findings", "spring", _finding(p=0.4))
_body("turn a finding into a PASS", "findings", "spring", _finding(outcome="PASS"))
_body("put a harm on another group", "findings", "spring", _finding(group="sex=male"))
_body("take a finding out", "findings", "spring", lambda body: body["findings"].pop(0))
_body("take all findings out", "findings", "summer", lambda body: body["findings"].clear())
_body("say a finding twice", "findings", "summer", lambda body: body["findings"].append(body["findings"][0]))
_body("swap two findings", "findings", "summer", lambda body: body["findings"].reverse())

# A waiver for more, for longer, for others, by others.
_body("waive up to more", "waiver", _OLD, _set(limit=0.4))
_body("waive for longer", "waiver", _OLD, _set(expires="2026-11-01T00:00:00Z"))
_body("end a waiver a second later", "waiver", _OLD, _set(expires="2026-08-01T00:00:01Z"))
_body("waive for another group", "waiver", _OLD, _set(group="sex=male"))
_body("waive another rule", "waiver", _OLD, _set(rule="fairness[1]"))
_body("another reason for a waiver", "waiver", _OLD, _set(reason="as agreed"))
_body("another person under a waiver", "waiver", _OLD, _set(keys=[digest("a"), digest("f")]))
_body("one person under a waiver", "waiver", _OLD, _set(keys=[digest("a")]))

# Somebody else approved, or for another reason.
_body("approve by another key", "approval", _NEW, _set(key=digest("f")))
_body("approve in another role", "approval", _NEW, _set(role="regulatory"))
_body("another reason for an approval", "approval", _NEW, _set(reason="I had no time to look"))
_body("spell a reason in another normal form", "approval", _NEW, _set(reason="the cafe\u0301 study is enough for me"))
_body("add a blank to a reason", "approval", _NEW, _set(reason="the café study is enough for me "))
_body("swap a letter for one that looks alike", "approval", _NEW, _set(reason="the c\u0430fé study is enough for me"))
_body("approve another verdict", "approval", _NEW, _set(sha256=digest("f")), 1)
_body("another envelope under an approval", "approval", _NEW, _set(envelope='{"payload":""}'), 1)

# What happened in the field.
_body("turn a missed alarm into a false one", "incident", _NEW, _set(kind="false-alarm"))
_body("put an incident on another group", "incident", _NEW, _set(group="sex=male"))
_body("play an incident down", "incident", _NEW, _set(reason="device was not worn"))
_body("play the second incident down", "incident", _NEW, _set(reason="a test"), 1)
_body("another reason for a revocation", "revocation", _NEW, _set(reason="end of life"))
_body("another hand under a revocation", "revocation", _NEW, _set(key=digest("b")))
_entry("revoke another run", "revocation", _NEW, run="summer")
_entry("put an incident on another run", "incident", _NEW, run="summer")

# Images and keys.
_body("another image under a seal", "seal", _NEW, _set(image_sha256=digest("f")))
_body("lower a security counter", "seal", _NEW, _set(security_counter=1))
_body("raise a security counter", "seal", _NEW, _set(security_counter=70))
_body("another device under a seal", "seal", _NEW, _set(recipient=digest("f")))
_body("turn a key's revocation into a renewal", "keys", "trust", _set(change="renew"), 1)
_body("another first trust file", "keys", "trust", _set(sha256=digest("f")))
_body("another excuse for the clock", "clock", "trail", _set(reason="summer time"))
_body("another end of a run that broke off", "aborted", "april", _set(stage="policy"))
_entry("turn a run that broke off into a verdict", "aborted", "april", kind="verdict")
_entry("turn a revocation into an incident", "revocation", _NEW, kind="incident")

# Time.
_entry("date a policy back", "policy", "summer", at="2026-05-01T12:00:00Z")
_entry("date an approval back", "approval", _NEW, at="2026-05-07T12:00:00Z")
_entry("date an incident ahead", "incident", _NEW, at="2026-05-21T11:00:00Z")
_entry("move an entry by a microsecond", "verdict", "spring", at="2026-05-02T12:00:00.000001Z")
_entry("write the same moment otherwise", "verdict", "spring", at="2026-05-02T12:00:00+00:00")
_everywhere("move everything by a year", lambda entry: entry.update(at=entry["at"].replace("2026", "2025")))
_everywhere("date everything to one moment", lambda entry: entry.update(at="2026-05-24T12:00:00Z"))

# Everything, or what stands in many places.
EDITS.retold("rename a run wherever it stands", _text("spring", "winter"))
EDITS.retold("give a failed run the name of a later one", _text('"spring"', '"summer"'))
EDITS.retold("replace a key wherever it stands", _text(digest("a"), digest("f")))
EDITS.retold("replace a group wherever it stands", _text("sex=female", "sex=unknown"))
EDITS.retold("a counter that is no whole number", _text('"security_counter": 7', '"security_counter": 7.5'))
EDITS.retold("spell digests in capitals", _text(digest("a"), digest("A")))
_everywhere("empty every body", lambda entry: entry["body"].clear())
_everywhere("sign everything with a mark", lambda entry: entry["body"].update(checked=True))
