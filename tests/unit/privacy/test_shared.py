"""Evidence shared within a person, held against loops, and worth what it should be worth."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from audit_pipeline.privacy.attacks.shared import is_shared, share, within_people
from audit_pipeline.privacy.scored import attacks_on, scored
from audit_pipeline.privacy.shadow_table import ShadowTable
from audit_pipeline.privacy_part import Attack

ROWS, PEOPLE, SHADOWS = 20, 40, 16


def table(seed: int, leak: float, alike: float, *, named: bool = True) -> ShadowTable:
    """Forty people of twenty rows: φ is higher by `leak` where they were trained on; `alike` scales what they share."""
    random = np.random.default_rng(seed)
    people = np.repeat(np.arange(PEOPLE), ROWS)
    halves = [random.permutation(PEOPLE) < PEOPLE // 2 for _ in range(SHADOWS // 2)]
    inside = np.stack([side for half in halves for side in (half, ~half)])[:, people]
    member = people < PEOPLE // 2

    def model(trained: NDArray[np.bool_]) -> NDArray[np.float64]:
        common = random.normal(size=PEOPLE)[people]
        return np.asarray(leak * trained + alike * common + random.normal(size=len(people)))

    return ShadowTable(
        shadows=np.stack([model(trained) for trained in inside]),
        inside=inside,
        target=model(member),
        member=member,
        people=people if named else None,
        y=np.zeros(len(people), dtype=np.int64),
        groups={},
    )


def test_others_add_as_many_as_they_are_worth() -> None:
    random = np.random.default_rng(0)
    people = np.array([3, 3, 3, 8, 5, 5])
    scores = random.normal(size=(2, 6)) * 8
    clipped = np.clip(scores, -10, 10)
    expected = scores.copy()
    for model in range(2):
        for row in range(6):
            others = [other for other in range(6) if other != row and people[other] == people[row]]
            if others:
                worth = len(others) / (1 + (len(others) - 1) * 0.25)
                expected[model, row] += worth * np.mean(clipped[model, others])
    assert share(scores, people, 0.25) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("alike", [0.0, 0.5, 2.0])
def test_the_correlation_is_that_of_rows_of_equal_membership(alike: float) -> None:
    drawn = table(1, leak=3.0, alike=alike)
    found = within_people(drawn.shadows, drawn.inside, np.arange(PEOPLE).repeat(ROWS))
    assert found == pytest.approx(alike**2 / (alike**2 + 1), abs=0.04), "membership itself is no correlation"


def test_scores_without_spread_are_taken_for_one() -> None:
    inside = table(2, 1.0, 0.0).inside
    assert within_people(np.where(inside, 1.0, -1.0), inside, np.arange(PEOPLE).repeat(ROWS)) == 1.0


def test_what_is_shared_recognises_more_rows() -> None:
    drawn = table(3, leak=1.0, alike=0.3)

    def tpr(attack: Attack) -> float:
        made = scored([drawn], attack)
        limit = np.quantile(made.pseudo[~made.inside], 0.95)
        return float((made.target[made.member] > limit).mean())

    assert tpr("student_t_shared") > 2 * tpr("student_t")


def test_nothing_is_shared_where_nobody_has_two_rows() -> None:
    assert "student_t_shared" in attacks_on(table(4, 0.0, 0.0))
    assert "student_t_shared" not in attacks_on(table(4, 0.0, 0.0, named=False))
    assert not is_shared(np.arange(5))
