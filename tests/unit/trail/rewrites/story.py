"""What the log tells that is rewritten: three runs of one product, from design to an incident in the field."""

from __future__ import annotations

import copy
from typing import Any, TypedDict


class Told(TypedDict):
    """One entry without its number, which its place gives."""

    kind: str
    run: str
    at: str
    body: dict[str, Any]


Story = list[Told]


def digest(letter: str) -> str:
    """Some SHA-256, 64 hexadecimal digits."""
    return letter * 64


def _told(kind: str, run: str, day: int, body: dict[str, Any]) -> Told:
    return Told(kind=kind, run=run, at=f"2026-05-{day:02d}T12:00:00Z", body=body)


def _finding(value: float, outcome: str, group: str = "sex=female") -> dict[str, Any]:
    return {"rule": "fairness[0]", "group": group, "value": value, "limit": 0.1, "p": 0.001, "outcome": outcome}


def _approval(role: str, key: str, reason: str) -> dict[str, Any]:
    return {"role": role, "key": digest(key), "reason": reason, "sha256": digest("9"), "envelope": "{}"}


_STORY: Story = [
    _told("keys", "trust", 1, {"file": "trust", "serial": 1, "sha256": digest("0"), "change": "init"}),
    _told("policy", "spring", 2, {"sha256": digest("1"), "author": "design", "rules": [{"max_drop": 0.1}]}),
    _told("data", "spring", 2, {"sha256": digest("2"), "lawful_basis": "consent", "retention_until": "2030-01-01"}),
    _told("model", "spring", 2, {"sha256": digest("3"), "format": "keras-h5"}),
    _told("candidate", "spring", 2, {"sha256": digest("4"), "recipe": ["prune 0.95", "int8"]}),
    _told("findings", "spring", 2, {"findings": [_finding(0.31, "FAIL"), _finding(0.02, "PASS", "sex=male")]}),
    _told("verdict", "spring", 2, {"outcome": "FAIL", "reasons": ["recall fell by 0.31 in sex=female"]}),
    _told("aborted", "april", 3, {"code": "interrupted", "stage": "candidate"}),
    _told("policy", "summer", 5, {"sha256": digest("5"), "author": "design", "rules": [{"max_drop": 0.2}]}),
    _told("data", "summer", 5, {"sha256": digest("2"), "lawful_basis": "consent", "retention_until": "2030-01-01"}),
    _told("model", "summer", 5, {"sha256": digest("3"), "format": "keras-h5"}),
    _told("candidate", "summer", 5, {"sha256": digest("6"), "recipe": ["prune 0.4", "int8"]}),
    _told("findings", "summer", 5, {"findings": [_finding(0.15, "FAIL"), _finding(0.01, "PASS", "sex=male")]}),
    _told("verdict", "summer", 5, {"outcome": "FAIL", "reasons": ["recall fell by 0.15 in sex=female"]}),
    _told("waiver", "summer", 6, {"rule": "fairness[0]", "group": "sex=female", "limit": 0.2,
                                  "expires": "2026-08-01T00:00:00Z", "keys": [digest("a"), digest("b")],
                                  "reason": "a larger study is under way", "sha256": digest("7")}),
    _told("verdict", "autumn", 7, {"outcome": "PASS", "waivers": [digest("7")], "reasons": []}),
    _told("seal", "autumn", 7, {"image_sha256": digest("8"), "security_counter": 7, "recipient": digest("c")}),
    _told("approval", "autumn", 8, _approval("clinical", "a", "the café study is enough for me")),
    _told("approval", "autumn", 8, _approval("regulatory", "b", "files are complete")),
    _told("incident", "autumn", 20, {"kind": "missed-alarm", "group": "sex=female", "reason": "arrest at home"}),
    _told("incident", "autumn", 21, {"kind": "false-alarm", "group": "sex=male", "reason": "woken at night"}),
    _told("revocation", "autumn", 22, {"reason": "two incidents in two days", "key": digest("a")}),
    _told("keys", "trust", 23, {"file": "trust", "serial": 2, "sha256": digest("d"), "change": "revoke release"}),
    _told("clock", "trail", 24, {"reason": "the clock had been set a year ahead"}),
]  # fmt: skip


def story() -> Story:
    """A copy to rewrite."""
    return copy.deepcopy(_STORY)


def index(kind: str, run: str, number: int = 0) -> int:
    """Place of an entry in the genuine story."""
    return [at for at, told in enumerate(_STORY) if (told["kind"], told["run"]) == (kind, run)][number]
