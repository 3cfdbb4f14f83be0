"""Halving, lifting and the choice, on trials whose outcome is made up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from search_results import made_up

from audit_pipeline.data.population import Population
from audit_pipeline.errors import InputError
from audit_pipeline.policy.recipe import Search
from audit_pipeline.search.around import News, State
from audit_pipeline.search.choice import choose
from audit_pipeline.search.halving import Halved, Halving
from audit_pipeline.search.lifting import Lifting
from audit_pipeline.search.space import Proposal, propose
from audit_pipeline.search.trial import Lessons, Result
from audit_pipeline.search.wording import reasons


@dataclass
class MadeUpWorkshop:
    """Trials are as small as their ratio says, and break the rules above one half."""

    seed: int = 0
    flash: Callable[[Proposal], int] = lambda one: 1000 - round(900 * one.ratio)
    violation: Callable[[Proposal], float] = lambda one: one.ratio - 0.5
    tried: list[tuple[int, int]] = field(default_factory=list)

    def outline(self, one: Proposal, lessons: Lessons) -> Result:
        return made_up(one, flash=self.flash(one), violation=None)

    def trial(self, one: Proposal, lessons: Lessons, number: int, epochs: int) -> Result:
        self.tried.append((number, one.number))
        return made_up(one, flash=self.flash(one), violation=self.violation(one), number=number, epochs=epochs)


def halved(workshop: MadeUpWorkshop, population: Population, trials: int, in_time: Callable[[], bool] = lambda: True):  # type: ignore[no-untyped-def]
    settings = Search(trials=trials)
    proposals = propose(settings, ("age",), 1)
    seen: list[News] = []
    halving = Halving(workshop, population.development, settings, in_time, seen.append)  # type: ignore[arg-type]
    return proposals, halving.carry_out(proposals), seen


def test_the_smallest_that_keeps_the_rules_reaches_the_end(population: Population) -> None:
    proposals, found, _ = halved(MadeUpWorkshop(), population, 24)
    good = [one for one in proposals if one.ratio <= 0.5]
    best = max(good, key=lambda one: one.ratio)
    results = [found.results[number] for number in found.finalists]
    assert choose(results, 0.0).proposal == best
    assert len(found.finalists) == 6
    assert found.complete


def test_every_proposal_has_a_result_or_a_reason(population: Population) -> None:
    proposals, found, seen = halved(MadeUpWorkshop(), population, 24)
    for one in proposals:
        assert one.number in found.fates or one.number in found.finalists
        assert (one.number in found.fates) != (one.number in found.finalists)
    dropped = {news.number for news in seen if news.state is State.DROPPED}
    assert dropped == set(found.fates)


def test_what_is_not_smaller_than_plain_int8_is_never_trained(population: Population) -> None:
    workshop = MadeUpWorkshop(flash=lambda one: 1000 + one.number)
    _, found, _ = halved(workshop, population, 8)
    assert {number for _, number in workshop.tried} == {0}
    assert all("not smaller" in reason for reason in found.fates.values())


def test_what_does_not_fit_is_never_trained(population: Population) -> None:
    workshop = MadeUpWorkshop()
    outline = workshop.outline
    workshop.outline = lambda one, lessons: (  # type: ignore[method-assign]
        made_up(one, flash=5, violation=None, fits=False) if one.number == 3 else outline(one, lessons)
    )
    _, found, _ = halved(workshop, population, 8)
    assert found.fates[3] == "it does not fit the board"
    assert 3 not in {number for _, number in workshop.tried}


def test_a_recipe_that_cannot_be_carried_out_is_dropped_with_its_reason(population: Population) -> None:
    workshop = MadeUpWorkshop()
    outline = workshop.outline
    workshop.outline = lambda one, lessons: (  # type: ignore[method-assign]
        replace(outline(one, lessons), made=None, reason="no such layer") if one.number == 2 else outline(one, lessons)
    )
    _, found, _ = halved(workshop, population, 4)
    assert found.fates[2] == "no such layer"


def test_plain_int8_that_cannot_be_made_ends_the_search(population: Population) -> None:
    workshop = MadeUpWorkshop()
    workshop.outline = lambda one, lessons: made_up(one, flash=1, violation=None, reason="crash")  # type: ignore[method-assign]
    with pytest.raises(InputError, match="plain int8, which every trial has to beat: crash"):
        halved(workshop, population, 4)


def test_plain_int8_is_measured_though_the_time_is_over(population: Population) -> None:
    workshop = MadeUpWorkshop()
    _, found, _ = halved(workshop, population, 8, in_time=lambda: False)
    assert workshop.tried == [(1, 0)]
    assert not found.complete
    assert choose([found.results[number] for number in found.finalists], 0.0).proposal.number == 0


def test_no_trial_is_begun_after_the_time(population: Population) -> None:
    workshop = MadeUpWorkshop()
    looks = iter([True] * 12 + [False] * 100)
    _, found, _ = halved(workshop, population, 8, in_time=lambda: next(looks))
    assert not found.complete
    assert 1 < len(workshop.tried) < 10


def plain(number: int, ratio: float = 0.5) -> Proposal:
    return replace(propose(Search(trials=2), (), 0)[1], number=number, ratio=ratio)


def test_flash_decides_then_arena_then_macs() -> None:
    results = [
        made_up(plain(0), flash=90, arena=5, macs=1, violation=-0.1),
        made_up(plain(1), flash=80, arena=9, macs=1, violation=-0.1),
        made_up(plain(2), flash=80, arena=7, macs=3, violation=-0.1),
        made_up(plain(3), flash=80, arena=7, macs=2, violation=0.0),
        made_up(plain(4), flash=10, violation=0.01),
        made_up(plain(5), flash=10, violation=-0.5, fits=False),
        made_up(plain(6), flash=10, violation=None),
    ]
    assert choose(results, 0.0).proposal.number == 3
    assert choose(results, 0.05).proposal.number == 2


def test_where_nothing_keeps_the_rules_the_least_harm_is_chosen() -> None:
    results = [made_up(plain(0), flash=90, violation=0.1), made_up(plain(1), flash=10, violation=0.3)]
    assert choose(results, 0.0).proposal.number == 0


def test_nothing_can_be_chosen_of_what_does_not_run() -> None:
    with pytest.raises(InputError) as caught:
        choose([made_up(plain(0), flash=1, violation=None)], 0.0)
    assert caught.value.code == "search.nothing-runs"


@dataclass
class Lifter:
    """Carries lifted proposals out: each operator costs bytes and mends something."""

    needed: int
    wide_keeps: bool = True
    cost: int = 5
    tried: list[tuple[int, int, bool]] = field(default_factory=list)

    def __call__(self, one: Proposal) -> Result:
        self.tried.append((one.number, one.lift, one.wide))
        keeps = self.wide_keeps if one.wide else one.lift >= self.needed
        return made_up(one, flash=50 + self.cost * one.lift, violation=-0.1 if keeps else 0.1)


FINALISTS = (made_up(plain(0), flash=100, violation=-0.1), made_up(plain(1), flash=50, violation=0.1))


def test_operators_are_lifted_one_two_four_until_the_rules_are_kept() -> None:
    lifter = Lifter(needed=3)
    lifting = Lifting(lifter, 0.0, 4)
    lifting.lift(FINALISTS)
    assert lifter.tried == [(1, 0, True), (1, 1, False), (1, 2, False), (1, 4, False)]
    assert [result.proposal.lift for result in lifting.saved] == [4]
    assert lifting.passes == 4


def test_before_giving_up_as_many_operators_are_lifted_as_may_be() -> None:
    lifter = Lifter(needed=3)
    lifting = Lifting(lifter, 0.0, 3)
    lifting.lift(FINALISTS)
    assert [result.proposal.lift for result in lifting.saved] == [3]
    refused = Lifting(Lifter(needed=9), 0.0, 3)
    refused.lift(FINALISTS)
    assert "with 3 operators lifted too" in refused.failed[1]


def test_where_sixteen_bits_throughout_do_not_help_no_operator_is_lifted() -> None:
    lifter = Lifter(needed=1, wide_keeps=False)
    lifting = Lifting(lifter, 0.0, 4)
    lifting.lift(FINALISTS)
    assert len(lifter.tried) == 1
    assert "rounding of activations is not the cause" in lifting.failed[1]


def test_lifting_stops_where_it_would_cost_more_than_it_saves() -> None:
    lifting = Lifting(Lifter(needed=9, cost=30), 0.0, 8)
    lifting.lift(FINALISTS)
    assert not lifting.saved
    assert "2 operators lifted it is not smaller" in lifting.failed[1]


def test_no_more_operators_are_lifted_than_allowed() -> None:
    lifter = Lifter(needed=3)
    lifting = Lifting(lifter, 0.0, 2)
    lifting.lift(FINALISTS)
    assert not lifting.saved and "no more may be" in lifting.failed[1]
    lifter.tried.clear()
    Lifting(lifter, 0.0, 0).lift(FINALISTS)
    assert not lifter.tried


def test_of_what_could_win_the_three_nearest_to_keeping_the_rules_are_lifted() -> None:
    lifter = Lifter(needed=1, wide_keeps=False)
    larger = made_up(plain(2), flash=200, violation=0.01)
    worse = [made_up(plain(number), flash=20, violation=number / 10) for number in (7, 3, 6, 5)]
    misfit = made_up(plain(4), flash=30, violation=0.01, fits=False)
    Lifting(lifter, 0.0, 4).lift((*FINALISTS, larger, *worse, misfit))
    assert [number for number, _, _ in lifter.tried] == [1, 3, 5]


def test_what_is_only_no_worse_than_the_float_model_is_not_said_to_keep_the_rules() -> None:
    one = made_up(plain(0), flash=80, violation=-0.01)
    assert one.score is not None
    broken = replace(one, score=one.score.model_copy(update={"keeps_rules": False}))
    finalists = {0: broken}
    halved_ = Halved(finalists, {}, (0,), complete=True, passes=1)
    lifting = Lifting(Lifter(needed=1), 0.0, 1)
    said = reasons([one.proposal], halved_, lifting, finalists, broken, Search(trials=1))[0]
    assert "breaks no rule further than the float model does" in said
    assert "no worse than in floats" in said
    kept = reasons([one.proposal], halved_, lifting, {0: one}, one, Search(trials=1))[0]
    assert "keeps the rules" in kept
