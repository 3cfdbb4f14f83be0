"""Successive halving: many recipes on little data and training, the better half of them on twice as much, and so on.

Jamieson & Talwalkar 2016, "Non-stochastic Best Arm Identification and Hyperparameter Optimization", figure 3. What they
call the loss of an arm is two things here, bytes of flash and how far the rules are broken, so the better half is the
undominated one (`front`). All trials that keep the rules are equal in that: then only the smallest of them is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from audit_pipeline.data.population import Development
from audit_pipeline.errors import InputError
from audit_pipeline.policy.recipe import Search
from audit_pipeline.search.around import News, Observer, State
from audit_pipeline.search.front import best
from audit_pipeline.search.selection import portion
from audit_pipeline.search.space import Proposal
from audit_pipeline.search.trial import Lessons, Made, Result, Workshop

UNTRIED = "the time was over before it was tried"

_SCREEN_ROWS = 64
"""Rows of each split that a model is calibrated on where only its size matters."""


@dataclass(frozen=True)
class Round:
    """What every trial of one round gets."""

    number: int
    """From 1; round 0 looks at sizes only."""
    share: float
    """Of the rows to learn from, and to calibrate on."""
    epochs: int
    places: int
    """How many trials take part, plain int8 among them."""

    @property
    def said(self) -> str:
        """The round in words."""
        rows = "all rows" if self.share >= 1 else f"{100 * self.share:g} % of the rows, drawn over groups and classes"
        epochs = "1 epoch" if self.epochs == 1 else f"{self.epochs} epochs"
        return f"{epochs} of training on {rows}; measured on all rows that the search chooses by"


def rounds(settings: Search) -> tuple[Round, ...]:
    """The rounds after the screen: places halve, rows and epochs double, up to all rows and all epochs.

    There are as many as leave four to seven trials for the last one.
    """
    many = max(settings.trials.bit_length() - 2, 1)
    return tuple(
        Round(
            number=number + 1,
            share=0.5 ** (many - 1 - number),
            epochs=max(round(settings.epochs * 0.5 ** (many - 1 - number)), 1),
            places=-(-settings.trials // 2**number),
        )
        for number in range(many)
    )


@dataclass(frozen=True)
class Halved:
    """What is known when the last round is over, or the time."""

    results: dict[int, Result]
    """The last result of every proposal that was tried, by number."""
    fates: dict[int, str]
    """Why a proposal was dropped."""
    finalists: tuple[int, ...]
    """Those that were in the last round that was begun, whether or not their turn came."""
    complete: bool
    passes: int
    """How often a candidate was run over the rows to choose by."""


class Halving:
    """One search, as it goes on."""

    def __init__(
        self,
        workshop: Workshop,
        data: Development,
        settings: Search,
        in_time: Callable[[], bool],
        observe: Observer,
    ) -> None:
        """Prepare.

        Args:
            workshop: where recipes are carried out.
            data: what trials learn from.
            settings: of the search.
            in_time: whether another trial may be begun.
            observe: told of every trial.
        """
        self._workshop = workshop
        self._data = data
        self._settings = settings
        self._in_time = in_time
        self._observe = observe
        self._results: dict[int, Result] = {}
        self._fates: dict[int, str] = {}
        self._passes = 0
        self._complete = True

    def carry_out(self, proposals: Sequence[Proposal]) -> Halved:
        """All rounds, the screen first.

        Args:
            proposals: plain int8 first.

        Raises:
            InputError: plain int8 itself cannot be made, or does not run on the device.
        """
        alive = self._screen(proposals)
        for each in rounds(self._settings):
            alive = self._promote(alive, each.places) if each.number > 1 else alive
            self._round(alive, each)
            if not self._complete:
                break
        return Halved(
            self._results,
            self._fates,
            tuple(one.number for one in alive if one.number not in self._fates),
            self._complete,
            self._passes,
        )

    def _screen(self, proposals: Sequence[Proposal]) -> list[Proposal]:
        """Round 0: what cannot be made, does not run, does not fit, or is not smaller than plain int8 goes."""
        lessons = self._lessons(
            _SCREEN_ROWS / max(len(self._data.train), 1), _SCREEN_ROWS / len(self._data.calibration)
        )
        plain = self._take(proposals[0], lambda one: self._workshop.outline(one, lessons), 0)
        for one in proposals[1:]:
            if not self._goes_on(one):
                continue
            result = self._take(one, lambda one: self._workshop.outline(one, lessons), 0)
            reason = result.reason or _unfit(result.made, plain.made)
            if reason:
                self._drop(result, reason)
        return [one for one in proposals if one.number not in self._fates]

    def _round(self, alive: Sequence[Proposal], now: Round) -> None:
        lessons = self._lessons(now.share, now.share)
        for one in alive:
            if not self._goes_on(one):
                continue
            result = self._take(one, lambda one: self._workshop.trial(one, lessons, now.number, now.epochs), now.number)
            if result.score is None:
                self._drop(result, result.reason)
            else:
                self._passes += 1

    def _goes_on(self, one: Proposal) -> bool:
        """Whether there is time for this one; plain int8 is always measured, so that there is something to choose."""
        if one.number and not self._in_time():
            self._complete = False
            if one.number not in self._results:
                self._fates[one.number] = UNTRIED
        return self._complete or not one.number

    def _take(self, one: Proposal, try_it: Callable[[Proposal], Result], number: int) -> Result:
        self._observe(News(one.number, one.label, number, State.RUNNING))
        result = try_it(one)
        if not one.number and result.reason:
            raise InputError("search.no-reference", f"plain int8, which every trial has to beat: {result.reason}")
        self._results[one.number] = result
        self._observe(news(result, State.MEASURED))
        return result

    def _promote(self, alive: Sequence[Proposal], places: int) -> list[Proposal]:
        """Plain int8, and of the others the best as far as there are places."""
        others = [one for one in alive if one.number and one.number not in self._fates]
        costs = np.array([self._costs(one) for one in others]).reshape(-1, 2)
        kept = {others[place].number for place in best(costs, places - 1)}
        for one in others:
            if one.number not in kept:
                self._drop(self._results[one.number], "others are smaller, or break the rules less, for their size")
        return [one for one in alive if not one.number or one.number in kept]

    def _costs(self, one: Proposal) -> tuple[float, float]:
        result = self._results[one.number]
        assert result.made is not None and result.score is not None, "what has no score was dropped"  # noqa: S101
        return result.made.footprint.flash_bytes, max(result.score.violation, -self._settings.margin)

    def _drop(self, result: Result, reason: str) -> None:
        self._fates[result.proposal.number] = reason
        self._observe(news(result, State.DROPPED, reason))

    def _lessons(self, train: float, calibration: float) -> Lessons:
        seed = self._workshop.seed
        return Lessons(
            replace(
                self._data,
                train=portion(self._data.train, train, seed),
                calibration=portion(self._data.calibration, calibration, seed),
            )
        )


def news(result: Result, state: State, remark: str = "") -> News:
    """What there is to tell of a result."""
    return News(
        number=result.proposal.number,
        label=result.proposal.label,
        round=result.round,
        state=state,
        size_bytes=result.made.candidate.size_bytes if result.made else None,
        worst_drop=result.score.worst_drop if result.score else None,
        violation=result.score.violation if result.score else None,
        remark=remark,
    )


def _unfit(made: Made | None, plain: Made | None) -> str:
    """Why a model of this size is not worth training; empty where it is."""
    if made is None or plain is None:
        return "it could not be made"
    if not made.footprint.fits:
        return "it does not fit the board"
    if made.footprint.flash_bytes >= plain.footprint.flash_bytes:
        return "it is not smaller than plain int8"
    return ""
