"""What a person sees of a search, and where it remembers."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from audit_pipeline.cli import search_screen as screen
from audit_pipeline.errors import InputError
from audit_pipeline.search.around import News, State


def trials(many: int) -> list[News]:
    dropped = [News(n, f"recipe {n}", 1, State.DROPPED, 1000 + n, 0.1, 0.05) for n in range(1, many)]
    return [News(0, "int8 as it is", 2, State.MEASURED, 2000, 0.01, -0.02), *dropped]


def drawn(news: list[News], lines: int, width: int = 120) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(screen.trial_table(news, lines))
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined,no-any-return]


def test_a_trial_is_one_line_with_its_numbers() -> None:
    _, first, second = drawn(trials(2), 10)
    assert first.split() == ["0", "int8", "as", "it", "is", "2", "2,000", "0.010", "kept", "by", "0.020", "measured"]
    assert second.split() == ["1", "recipe", "1", "1", "1,001", "0.100", "broken", "by", "0.050", "dropped"]


def test_where_there_is_no_room_the_dropped_go_first() -> None:
    lines = drawn(trials(50), 5)
    assert len(lines) == 6
    assert "int8 as it is" in lines[1]


def test_on_a_narrow_screen_the_recipe_is_cut_and_no_number() -> None:
    news = [News(23, "neurons −69 % by worst group, distilled", 2, State.MEASURED, 12_345, 0.427, 0.13)]
    [_, line] = drawn(news, 10, width=80)
    assert line.startswith("   23  neurons −69")
    assert "…" in line
    assert line.split()[-6:] == ["12,345", "0.427", "broken", "by", "0.130", "measured"]


def test_a_label_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in "".join(drawn([News(0, "a\x1b[2J[red]b", 0, State.RUNNING)], 5))


def test_both_ways_of_watching_take_the_same_news(capsys: pytest.CaptureFixture[str]) -> None:
    with screen.search_screen(None) as (progress, around):
        progress("calibrate", 0.5)
        for news in trials(3):
            around.observe(news)
        around.observe(News(0, "int8 as it is", 2, State.CHOSEN, remark="the smallest"))
        around.observe(News(1, "recipe [bold]1", 2, State.RUNNING))
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "· calibrate"
    assert told[1] == "· round 2, trial 0, int8 as it is: 2,000 bytes, worst drop 0.010, rules kept by 0.020"
    assert told[-1] == "· round 2, trial 0, int8 as it is: chosen: the smallest"


def test_a_terminal_shows_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=120, height=30)
    monkeypatch.setattr(screen, "Console", lambda **_: console)
    with screen.search_screen(None) as (progress, around):
        progress("reading [the] train split", 0.5)
        for news in trials(3):
            around.observe(news)
        progress("distill", 0.5)
    assert "recipe 2" in out.getvalue()
    assert "kept by 0.020" in out.getvalue()


def test_it_remembers_in_the_users_own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert screen.cache_folder(None, no_cache=False) == tmp_path / "audit-pipeline"
    assert not list(tmp_path.iterdir())
    assert screen.cache_folder(Path("here"), no_cache=False) == Path("here")
    assert screen.cache_folder(None, no_cache=True) is None


def test_where_there_is_no_home_nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    monkeypatch.setattr("os.access", lambda *_: False)
    assert screen.cache_folder(None, no_cache=False) is None


def test_who_stops_a_search_is_told_where_it_remembers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), screen.search_screen(tmp_path) as (_, around):
        around.observe(trials(1)[0])
        raise KeyboardInterrupt
    assert f"what was tried is kept in {tmp_path}" in capsys.readouterr().err
    with pytest.raises(KeyboardInterrupt), screen.search_screen(tmp_path):
        raise KeyboardInterrupt
    assert "kept" not in capsys.readouterr().err


def test_a_cache_and_none_is_refused() -> None:
    with pytest.raises(InputError):
        screen.cache_folder(Path("here"), no_cache=True)
