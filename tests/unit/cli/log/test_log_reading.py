"""`audit log list` and `show`: what a reviewer reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from log_world import RUN, Audit, add, parsed

from audit_pipeline.cli import console, log_lines


def test_each_entry_is_one_readable_line(at: Path, audit: Audit) -> None:
    code, out, _ = audit()
    assert code == 0
    lines = out.splitlines()
    assert lines[1] == f"1  2026-05-04 12:05:00Z  {'first':<{len(RUN)}}  verdict FAIL"
    assert lines[-2] == "5 entries"
    assert lines[-1].startswith("root ")
    assert audit("list")[1] == out


def test_a_narrow_console_takes_two_lines_each_and_cuts_nothing(
    at: Path, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "_PIPE_COLUMNS", 60)
    _, out, _ = audit("list")
    assert all(len(line) <= 60 for line in out.splitlines() if not line.startswith("root"))
    assert f"4  2026-05-05 10:00:00Z  {RUN}" in out
    assert "loosened after" in out and "the FAIL of run first" in " ".join(out.split())


def test_a_long_name_is_cut_with_a_mark_in_the_list_only(at: Path, audit: Audit) -> None:
    name = "r" * 200
    add("audit.db", name)
    assert "r" * (log_lines._LONGEST_RUN - 1) + "…" in audit("list")[1]
    assert name in audit("show", name)[1].replace("\n", "")


@pytest.mark.parametrize(
    ("arguments", "indexes"),
    [
        (("--run", "first"), [0, 1]),
        (("--run", "nobody"), []),
        (("--kind", "verdict"), [1, 3]),
        (("--since", "2026-05-05"), [2, 3, 4]),
        (("--since", "2026-05-05T09:05:00Z"), [3, 4]),
        (("--since", "2026-05-05T11:05:00+02:00", "--kind", "verdict"), [3]),
    ],
)
def test_the_list_is_filtered(arguments: tuple[str, ...], indexes: list[int], at: Path, audit: Audit) -> None:
    result = parsed(audit, "list", *arguments)
    assert [entry["index"] for entry in result["entries"]] == indexes
    assert result["size"] == 5
    assert f"{len(indexes)} of 5 entries" in audit("list", *arguments)[1]


def test_the_json_has_the_entry_and_its_words(at: Path, audit: Audit) -> None:
    entry = parsed(audit, "list")["entries"][1]
    assert (entry["what"], entry["body"], entry["kind"]) == ("verdict FAIL", {"outcome": "FAIL"}, "verdict")


def test_a_filter_that_cannot_be_is_refused(at: Path, audit: Audit) -> None:
    code, _, err = audit("list", "--kind", "verdct")
    assert code == 2 and "did you mean verdict?" in err
    assert parsed(audit, "list", "--since", "yesterday", code=2) == "log.since"


def test_options_before_the_command_are_refused_rather_than_passed_over(at: Path, audit: Audit) -> None:
    code, _, err = audit("--trail", "other.db", "verify")
    assert code == 2 and "audit log verify --trail FILE" in err


def test_no_text_of_an_entry_steers_the_terminal(at: Path, audit: Audit) -> None:
    for arguments in (("list",), ("show", RUN), ("show", "4")):
        assert "\x1b" not in audit(*arguments)[1]


def test_a_run_is_shown_with_what_was_loosened_after_a_fail(at: Path, audit: Audit) -> None:
    code, out, _ = audit("show", RUN)
    words = " ".join(out.split())
    assert code == 0
    assert "registered by head of clinical safety" in words
    assert "which had ended in FAIL" in words
    assert "loosened: fairness.recall[V].max_drop, 0.02 → 0.05" in words
    assert "approved as compliance by abababababab…" in words


def test_a_run_is_shown_without_blanks_at_the_ends_of_its_lines(at: Path, audit: Audit) -> None:
    for arguments in (("list",), ("show", RUN), ("show", "2"), ("show",)):
        lines = audit(*arguments)[1].splitlines()
        assert [line for line in lines if line != line.rstrip()] == []


def test_an_entry_is_shown_whole(at: Path, audit: Audit) -> None:
    result = parsed(audit, "show", "1")
    assert json.loads(result["canonical"])["body"] == {"outcome": "FAIL"}
    assert result["leaf_hash"] in audit("show", "1")[1]


def test_the_log_itself_is_shown_with_the_key_that_others_are_given(at: Path, audit: Audit) -> None:
    result = parsed(audit, "show")
    assert result["vkey"] == (at / "log.vkey").read_text().strip()
    assert result["vkey"] in audit("show")[1].replace("\n", "")


def test_a_run_named_as_a_number_is_asked_for_by_its_name(at: Path, audit: Audit) -> None:
    add("audit.db", "1")
    assert parsed(audit, "show", "run:1")["entries"][0]["index"] == 5
    assert parsed(audit, "show", "1")["run"] == "first"


@pytest.mark.parametrize(
    ("what", "error"),
    [("99", "trail.no-such-entry"), ("9" * 400, "trail.no-such-entry"), ("frist", "log.no-run"), ("-1", "usage")],
)
def test_what_is_not_there_is_said(what: str, error: str, at: Path, audit: Audit) -> None:
    assert parsed(audit, "show", what, code=2) == error
    if error != "usage":
        assert parsed(audit, "prove", what, "--out", "p.tlog-proof", code=2) == error
    assert "did you mean first?" in audit("show", "frist")[2]
