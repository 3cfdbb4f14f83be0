"""`audit incident` and `audit revoke`: what happens in the field is put beside the release, by folder or by name."""

from __future__ import annotations

import shlex

import pytest
from review_samples import NOW, REFUSED, RELEASED, Ward

from audit_pipeline.cli import reviewer
from audit_pipeline.errors import InputError
from audit_pipeline.people.incident import incidents_of
from audit_pipeline.people.revocation import revocation_of
from audit_pipeline.review.withdrawing import prepare_revocation
from audit_pipeline.trail.log import Trail

REPORT = ("incident", RELEASED, "--group", "sex=female", "--reason", "fell, and no alarm came")
WITHDRAW = ("revoke", RELEASED, "--reason", "burns a wrist", "--key")


def entries(ward: Ward):
    with Trail.open(ward.trail, create=False) as trail:
        trail.verify()
        return tuple(trail.entries())


@pytest.mark.parametrize(("kind", "answers"), [("missed-alarm", "the maker"), ("false-alarm", "the operator")])
def test_an_incident_says_who_answers_for_it_by_the_policy(audit, kind: str, answers: str) -> None:
    result = audit.json(*REPORT, "--kind", kind)
    assert (result["answers"], result["who_can_stop"]) == (answers, "the ward's nurse")
    text = audit.text(*REPORT, "--kind", kind)
    assert f"answers for it by the policy: {answers}" in text
    assert f"incidents of this run so far: 2 of kind {kind}" in text


def test_who_answers_is_not_changed_by_what_somebody_enters_later_under_the_runs_name(audit, ward: Ward) -> None:
    with Trail.open(ward.trail) as trail:
        at = trail.entry(trail.head().size - 1).at
        body = {"human_centred": {"responsible": {"missed_alarm": "somebody else"}}}
        trail.append("policy", RELEASED, at, body)
    assert audit.json(*REPORT, "--kind", "missed-alarm")["answers"] == "the maker"


def test_an_unsigned_report_is_taken_and_said_to_be_unsigned(audit, ward: Ward) -> None:
    result = audit.json(*REPORT, "--kind", "missed-alarm")
    assert (result["signed"], result["signer"]) == (False, None)
    assert "unsigned: it proves that somebody wrote it, no more" in audit.text(*REPORT, "--kind", "missed-alarm")
    assert [each.signer for each in incidents_of(entries(ward), RELEASED)] == [None, None]


def test_what_must_never_be_recorded_is_said_and_how_it_is_taken_out_again(audit, ward: Ward) -> None:
    result = audit.json(*REPORT[:-1], "Mrs Smith fell", "--kind", "missed-alarm")
    assert result["never_record"] == ["names"]
    words = [ward.key("nurse") if word == "KEY" else word for word in shlex.split(result["next"][1])[1:]]
    assert b"Mrs Smith" in ward.bytes_of_trail()
    audit.json(*words)
    assert b"Mrs Smith" not in ward.bytes_of_trail()
    assert incidents_of(entries(ward), RELEASED) == ()


def test_a_signed_report_names_its_key(audit, ward: Ward) -> None:
    result = audit.json(*REPORT, "--kind", "missed-alarm", "--key", ward.key("nurse"))
    assert (result["signed"], result["signer"]) == (True, ward.print_of("nurse"))
    (reported,) = incidents_of(entries(ward), RELEASED)
    assert (reported.signer, reported.incident.group) == (ward.print_of("nurse"), "sex=female")


def test_by_its_folder_a_group_that_nobody_evaluated_is_noticed(audit, ward: Ward) -> None:
    def report(group: str) -> tuple[str, ...]:
        return ("incident", str(ward.run(RELEASED)), "--kind", "missed-alarm", "--group", group, "--reason", "fell")

    assert audit.json(*report("sex=female"))["evaluated"] is True
    assert audit.json(*report("age=3"))["evaluated"] is False
    assert "the evaluation never looked at age=3" in audit.text(*report("age=3"))
    assert audit.json(*REPORT, "--kind", "missed-alarm")["evaluated"] is None


@pytest.mark.parametrize("changed", [("--reason", ""), ("--reason", "two\nlines"), ("--group", "")])
def test_a_report_without_words_is_refused(audit, changed: tuple[str, str]) -> None:
    size = audit.size()
    assert audit.error(*REPORT, "--kind", "missed-alarm", *changed) == "incident.format"
    assert audit.size() == size


def test_a_withdrawn_release_still_takes_reports(audit, ward: Ward) -> None:
    audit.json(*WITHDRAW, ward.key("stranger"))
    assert audit.json(*REPORT, "--kind", "missed-alarm")["entry"]


def test_any_key_withdraws_a_release(audit, ward: Ward) -> None:
    result = audit.json(*WITHDRAW, ward.key("stranger"))
    assert (result["run"], result["version"], result["signer"]) == (RELEASED, "1.4.0", ward.print_of("stranger"))
    revoked = revocation_of(entries(ward), RELEASED)
    assert revoked is not None
    assert (revoked.index, revoked.at, revoked.reason) == (result["entry"], NOW, "burns a wrist")


def test_a_withdrawal_says_what_it_does_not_do(audit, ward: Ward) -> None:
    text = audit.text("revoke", str(ward.run(RELEASED)), *WITHDRAW[2:], ward.key("doctor"))
    assert "devices that have it run it until they take another" in text
    assert f"next: audit log show {RELEASED} --trail" in text


def test_a_release_is_withdrawn_once(audit, ward: Ward) -> None:
    audit.json(*WITHDRAW, ward.key("stranger"))
    size = audit.size()
    assert audit.error(*WITHDRAW, ward.key("doctor")) == "revocation.twice"
    assert audit.size() == size


@pytest.mark.parametrize(
    ("run", "code"),
    [(REFUSED, "not-released"), ("2026-05-04-relased", "no-such-run"), ("keys:small", "not-released"), ("", "")],
)
def test_what_was_never_released_is_neither_withdrawn_nor_reported(audit, ward: Ward, run: str, code: str) -> None:
    for words in ((*WITHDRAW, ward.key("doctor")), (*REPORT, "--kind", "false-alarm")):
        assert audit.error(words[0], run, *words[2:]).endswith(code)


def test_a_folder_that_is_no_run_is_said_to_be_none(audit, ward: Ward) -> None:
    assert audit.error("revoke", str(ward.folder), *WITHDRAW[2:], ward.key("doctor")) == "gate.not-a-run"


def test_a_missing_trail_is_not_made(audit, ward: Ward, tmp_path) -> None:
    absent = tmp_path / "absent.db"
    assert audit.error(*WITHDRAW, ward.key("doctor"), "--trail", str(absent)) == "trail.absent"
    assert not list(tmp_path.glob("absent*"))


def test_nobody_types_a_passphrase_for_a_log_that_cannot_be_signed(audit, ward: Ward, monkeypatch) -> None:
    def asked(*_: object, **__: object) -> bytes:
        raise AssertionError("asked for a passphrase")

    monkeypatch.setattr(reviewer, "read_passphrase", asked)
    (ward.folder / "audit.db.key").unlink()
    assert audit.error(*WITHDRAW, ward.key("doctor")) == "trail.key-missing"


def test_a_release_whose_policy_was_taken_out_of_the_log_is_reported_and_withdrawn_all_the_same(
    audit, ward: Ward
) -> None:
    with Trail.open(ward.trail) as trail:
        (policy,) = trail.entries(RELEASED, "policy")
        at = trail.entry(trail.head().size - 1).at
        trail.redact(policy.index, reason="a name in it", signer=ward.signer("nurse"), at=at)
    text = audit.text(*REPORT, "--kind", "missed-alarm")
    assert "answers for it by the policy: not on record any more" in text
    assert audit.json(*WITHDRAW, ward.key("doctor"))["run"] == RELEASED


def test_of_two_who_withdraw_at_once_one_is_entered(ward: Ward) -> None:
    first, second = (prepare_revocation(RELEASED, reason="burns", trail=ward.trail, at=NOW) for _ in range(2))
    first.enter(ward.signer("nurse"), ward.trail)
    with pytest.raises(InputError) as caught:
        second.enter(ward.signer("doctor"), ward.trail)
    assert caught.value.code == "revocation.twice"
