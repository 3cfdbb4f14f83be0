from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from attempts import ATTEMPTS, genuine, genuine_by_hand
from scene import RELEASED, Scene
from shipping import came_through, try_to_ship

_DAILY = (
    "one person waives and cosigns",
    "one key under two ids",
    "a waiver of 181 days, entered",
    "one approver twice",
)


@pytest.fixture(scope="module")
def set_scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene.set(tmp_path_factory.mktemp("shipping"))


@pytest.fixture
def scene(set_scene: Scene, tmp_path: Path) -> Scene:
    return set_scene.copied(tmp_path / "scene")


@pytest.mark.parametrize("do", [genuine, genuine_by_hand])
def test_two_who_waive_and_both_roles_that_approve_ship_it(scene: Scene, do: Callable[[Scene], None]) -> None:
    do(scene)
    assert came_through(scene) == [RELEASED]


@pytest.mark.parametrize("name", _DAILY)
def test_nobody_ships_a_fail(scene: Scene, name: str) -> None:
    assert try_to_ship(scene, name) == []


@pytest.mark.bench
@pytest.mark.parametrize("name", ATTEMPTS)
def test_nobody_ships_a_fail_in_any_of_these_ways(scene: Scene, name: str) -> None:
    assert try_to_ship(scene, name) == []


def test_the_list_is_as_long_as_promised() -> None:
    assert len(ATTEMPTS) >= 20
