"""What the trail tells people: a line for each entry, an entry whole, and one run as it was decided."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_pipeline.trail.details import Detail, details
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.kind import Kind
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.summary import in_words
from audit_pipeline.trail.timeline import timeline

AT = "2026-05-04T12:00:00Z"
SHA = "ab" * 32
KEY = "12" * 32
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
WORDS = (
    "name sha256 human_centred author changed edits run outcome steps technique settings notes counts search trials",
    "action trust signer old reason rule group limit expires kind index rules metric groups code of_run waivers",
)
KNOWN_KEYS = st.sampled_from([word for line in WORDS for word in line.split()])

CHANGED = {
    "run": "first",
    "sha256": SHA,
    "outcome": "FAIL",
    "edits": [
        {"path": "fairness.recall[V].max_drop", "groups": ["sex"], "before": 0.02, "after": 0.05, "effect": "loosened"},
        {"path": "privacy.membership.max_tpr", "groups": [], "before": None, "after": 0.05, "effect": "tightened"},
    ],
}
POLICY = {
    "name": "wearable",
    "sha256": SHA,
    "human_centred": {
        "author": {"role": "head of clinical safety", "key": KEY},
        "responsible": {"false_alarm": "the operator", "missed_alarm": "the maker"},
    },
    "rules": {"fairness": [{"metric": "recall", "class": "V", "max_drop": 0.05, "groups": ["sex"]}]},
    "changed": CHANGED,
}
SIGNED = {"envelope": "{…}", "sha256": SHA, "signer": KEY, "reason": "seen and agreed"}


def entry(kind: Kind, body: dict[str, Any], index: int = 0) -> Entry:
    return Entry.compose(index, kind, "second", AT, body)


def told(kind: Kind, body: dict[str, Any]) -> str:
    return in_words(entry(kind, body))


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        (
            "policy",
            POLICY,
            "policy wearable registered by head of clinical safety, abababababab…; "
            "1 loosened, 1 tightened after the FAIL of run first",
        ),
        (
            "data",
            {"name": "ecg", "sha256": SHA, "lawful_basis": "consent", "retention_until": "2030-01-01"},
            "data ecg, abababababab…, lawful basis: consent, kept until 2030-01-01",
        ),
        ("data", {"name": "ecg", "sha256": SHA}, "data ecg, abababababab…"),
        ("model", {"file": "m.h5", "sha256": SHA}, "model m.h5, abababababab…"),
        (
            "candidate",
            {"sha256": SHA, "size_bytes": 13760, "steps": [{"technique": "quantize"}], "search": {"trials": [1, 2]}},
            "compressed by quantize, chosen from 2 recipes: 13,760 bytes, abababababab…",
        ),
        ("candidate", {"sha256": SHA, "size_bytes": 9, "steps": []}, "taken as it was: 9 bytes, abababababab…"),
        ("findings", {"counts": {"PASS": 3, "FAIL": 0, "INCONCLUSIVE": 1}}, "4 findings: 1 INCONCLUSIVE, 3 PASS"),
        ("findings", {"counts": {"PASS": 0}}, "no findings"),
        ("verdict", {"outcome": "FAIL"}, "verdict FAIL"),
        (
            "verdict",
            {"outcome": "PASS", "of_run": "first", "waivers": [SHA]},
            "verdict PASS, decided again from run first under 1 waiver",
        ),
        (
            "seal",
            {"version": "1.0.0", "security_counter": 7, "signer": KEY, "recipient": SHA, "device_class": "acme/ecg"},
            "image 1.0.0 sealed for acme/ecg, security counter 7, signed by 121212121212…",
        ),
        (
            "seal",
            {"version": "1.0.0", "security_counter": 7, "signer": KEY, "recipient": SHA, "device_class": None},
            "image 1.0.0 sealed for abababababab…, security counter 7, signed by 121212121212…",
        ),
        ("aborted", {"code": "interrupted"}, "broke off: interrupted"),
        (
            "keys",
            {"action": "sign", "signer": KEY, "trust": {"name": "w", "serial": 2}},
            "trust file w, serial 2, signed by 121212121212…",
        ),
        (
            "keys",
            {"action": "revoke", "old": {"name": "release"}, "reason": "stolen", "trust": {"name": "w", "serial": 3}},
            "trust file w, serial 3, key release revoked: stolen",
        ),
        ("approval", {**SIGNED, "role": "compliance"}, "approved as compliance by 121212121212…: seen and agreed"),
        (
            "waiver",
            {**SIGNED, "rule": "fairness[0]", "group": "sex=f", "limit": 0.1, "expires": AT},
            f"waiver of fairness[0] for sex=f up to 0.1 until {AT}, signed by 121212121212…: seen and agreed",
        ),
        (
            "incident",
            {"kind": "missed-alarm", "group": "sex=f", "signer": None, "reason": "no alarm"},
            "missed-alarm in the field, sex=f, reported by somebody who signed nothing: no alarm",
        ),
        ("revocation", SIGNED, "release withdrawn by 121212121212…: seen and agreed"),
        (
            "redaction",
            {**SIGNED, "index": 3, "kind": "incident", "run": "first"},
            "text of entry 3 (incident of run first) taken out: seen and agreed",
        ),
    ],
)
def test_each_kind_of_entry_is_told_in_words(kind: Kind, body: dict[str, Any], words: str) -> None:
    assert told(kind, body) == words


def test_what_is_not_as_this_version_writes_it_is_shown_as_it_stands() -> None:
    assert told("verdict", {"result": "PASS"}) == 'verdict {"result":"PASS"}'


def test_a_line_is_a_line() -> None:
    assert told("aborted", {"code": "one\ntwo\t three"}) == "broke off: one two three"


@given(st.sampled_from(get_args(Kind)), st.dictionaries(KNOWN_KEYS | st.text(max_size=4), JSON, max_size=8))
@settings(max_examples=300, deadline=None)
def test_no_body_whatever_stops_the_telling(kind: Kind, body: dict[str, Any]) -> None:
    assert "\n" not in told(kind, body)
    details(body)


def test_a_limit_that_was_loosened_after_a_fail_is_shown_as_exactly_that_before_all_else() -> None:
    lines = details(POLICY)
    assert lines[:2] == (Detail("changed since run", "first"), Detail("which had ended in", "FAIL"))
    assert Detail("what was changed", "loosened: fairness.recall[V].max_drop (sex), 0.02 → 0.05") in lines
    assert Detail("what was changed", "tightened: privacy.membership.max_tpr, nothing → 0.05") in lines


def test_an_entry_whole_leaves_out_nothing_but_the_envelope() -> None:
    lines = details({**SIGNED, "a_new_key": {"deep": [1, 2]}, "none": None})
    assert {line.label for line in lines} == {"SHA-256", "signed by", "reason", "a new key.deep"}
    assert Detail("a new key.deep", "1, 2") in lines


def test_a_rule_is_read_as_what_it_asks() -> None:
    assert Detail("fairness rule", "recall of V for sex: max_drop 0.05") in details(POLICY)


def test_a_step_is_read_with_its_settings_and_notes() -> None:
    step = {"technique": "quantize", "settings": {"scheme": "int8", "lift": None}, "notes": ["on 500 rows"]}
    assert details({"steps": [step]}) == (Detail("steps", "quantize: scheme int8"), Detail("steps", "  on 500 rows"))


@pytest.fixture(scope="module")
def told_trail(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("told") / "audit.db"
    with Trail.open(path) as trail:
        for kind, body in (
            ("policy", POLICY),
            ("verdict", {"outcome": "PASS"}),
            ("seal", {"version": "1.2.0"}),
            ("approval", {**SIGNED, "role": "compliance"}),
            ("waiver", {**SIGNED, "rule": "fairness[0]", "group": "sex=f"}),
            ("waiver", {**SIGNED, "rule": "fairness[0]", "group": "sex=f", "signer": SHA}),
        ):
            trail.append(kind, "second", AT, body)  # type: ignore[arg-type]
        trail.append("verdict", "first", AT, {"outcome": "FAIL"})
        trail.append("redaction", "elsewhere", AT, {"index": 3, "run": "second", "reason": "a name"})
    return path


@pytest.fixture
def opened(told_trail: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(told_trail.parent, tmp_path / "copy")) / "audit.db"


def test_a_run_is_told_with_all_that_is_about_it_and_nothing_else(opened: Path) -> None:
    with Trail.open(opened, create=False) as trail:
        run = timeline(trail, "second")
        assert run is not None
        assert [moment.entry.index for moment in run.moments] == [0, 1, 2, 3, 4, 5, 7]
        assert timeline(trail, "third") is None


def test_a_run_says_how_it_stands_and_who_answers(opened: Path) -> None:
    with Trail.open(opened, create=False) as trail:
        run, refused = timeline(trail, "second"), timeline(trail, "first")
    assert run is not None and refused is not None
    assert run.standing == (
        Detail("outcome", "PASS, sealed as 1.2.0"),
        Detail("policy", "loosened: fairness.recall[V].max_drop (sex), 0.02 → 0.05, after the FAIL of run first"),
        Detail("answers for a false alarm", "the operator"),
        Detail("answers for a missed alarm", "the maker"),
        Detail("approvals", "compliance by 121212121212…"),
        Detail("waivers", "fairness[0] for sex=f by 121212121212…, abababababab…"),
    )
    assert refused.standing == (Detail("outcome", "FAIL, no image"),)


@pytest.mark.parametrize(
    ("kind", "body", "outcome"),
    [
        ("revocation", SIGNED, "withdrawn: seen and agreed"),
        ("aborted", {"code": "interrupted"}, "broke off: interrupted"),
    ],
)
def test_a_run_that_was_withdrawn_or_broke_off_says_so(
    opened: Path, kind: Kind, body: dict[str, Any], outcome: str
) -> None:
    with Trail.open(opened) as trail:
        trail.append(kind, "second", AT, body)
        run = timeline(trail, "second")
    assert run is not None
    assert run.standing[0] == Detail("outcome", outcome)


def test_what_somebody_enters_later_under_its_name_is_not_what_a_run_came_to(opened: Path) -> None:
    with Trail.open(opened) as trail:
        before = timeline(trail, "first")
        trail.append("verdict", "first", AT, {"outcome": "PASS"})
        trail.append("policy", "first", AT, {"human_centred": {"responsible": {"false_alarm": "nobody"}}})
        run = timeline(trail, "first")
    assert before is not None and run is not None
    assert run.standing[0] == before.standing[0] == Detail("outcome", "FAIL, no image")


def test_a_release_is_told_with_the_waivers_that_its_verdict_rests_on(opened: Path) -> None:
    with Trail.open(opened) as trail:
        trail.append("verdict", "third", AT, {"outcome": "PASS", "of_run": "second", "waivers": [SHA]})
        run, other = timeline(trail, "third"), timeline(trail, "first")
    assert run is not None and other is not None
    assert [moment.entry.index for moment in run.moments] == [4, 5, 8]
    assert [moment.entry.index for moment in other.moments] == [6]


def test_a_run_without_a_verdict_has_none(opened: Path) -> None:
    with Trail.open(opened) as trail:
        trail.append("policy", "third", AT, POLICY)
        run = timeline(trail, "third")
    assert run is not None
    assert run.standing[0].text == "no verdict"
    assert run.to_json()["standing"]["outcome"] == "no verdict"
