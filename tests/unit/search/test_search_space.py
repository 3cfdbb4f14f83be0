"""Which recipes are proposed."""

from __future__ import annotations

from itertools import pairwise

import pytest

from audit_pipeline.policy.recipe import Compress, Search
from audit_pipeline.search.space import RATIOS, propose

COLUMNS = ("sex", "age_band")


def test_plain_int8_comes_first_and_trains_nothing() -> None:
    first = propose(Search(), COLUMNS, 0)[0]
    assert [step.model_dump(exclude_defaults=True) for step in first.recipe(8)] == [{"quantize": {}}]


@pytest.mark.parametrize("trials", [1, 2, 24, 200])
def test_there_are_as_many_as_asked_for_and_no_two_alike(trials: int) -> None:
    proposals = propose(Search(trials=trials), COLUMNS, 3)
    assert [one.number for one in proposals] == list(range(trials))
    assert len({one.recipe(2) for one in proposals}) == trials


@pytest.mark.parametrize("seed", range(20))
def test_a_few_trials_cover_the_axis(seed: int) -> None:
    low, high = RATIOS
    ratios = sorted(one.ratio for one in propose(Search(trials=8), COLUMNS, seed)[1:])
    ends = [low, *ratios, high]
    assert max(b - a for a, b in pairwise(ends)) < (high - low) / 2
    assert low <= ratios[0] and ratios[-1] <= high


def test_the_seed_alone_decides() -> None:
    assert propose(Search(), COLUMNS, 4) == propose(Search(), tuple(reversed(COLUMNS)), 4)
    assert propose(Search(), COLUMNS, 4) != propose(Search(), COLUMNS, 5)


def test_every_proposal_is_a_recipe_that_a_policy_could_write() -> None:
    for one in propose(Search(trials=30), COLUMNS, 1):
        for form in (one, one.lifted(2), one.widened()):
            for recipe in (form.recipe(3), form.outline()):
                dumped = tuple(step.model_dump() for step in recipe)
                assert Compress.model_validate({"recipe": dumped}).recipe == recipe


def test_all_group_columns_are_minded_where_none_are_named() -> None:
    assert {one.groups for one in propose(Search(), COLUMNS, 0)} == {"age_band*sex"}
    assert {one.groups for one in propose(Search(groups="sex"), COLUMNS, 0)} == {"sex"}
    assert {one.groups for one in propose(Search(), (), 0)} == {"overall"}


def test_an_outline_trains_only_a_student_that_has_to_be_made() -> None:
    for one in propose(Search(trials=30), COLUMNS, 1):
        techniques = [next(iter(type(step).model_fields)) for step in one.outline()]
        assert ("distill" in techniques) == (one.kind is not None and one.kind.importance is None)
        assert "fine_tune" not in techniques


def test_epochs_are_those_of_the_round() -> None:
    steps = [step for one in propose(Search(trials=9), COLUMNS, 1) for step in one.recipe(5)]
    trained = [settings["epochs"] for step in steps for settings in step.model_dump().values() if "epochs" in settings]
    assert set(trained) == {5}
