"""How many rounds there are, and what each trial gets in them."""

from __future__ import annotations

import pytest

from audit_pipeline.policy.recipe import Search
from audit_pipeline.search.halving import rounds


@pytest.mark.parametrize("trials", range(1, 200))
def test_the_last_round_has_all_rows_all_epochs_and_a_handful_of_trials(trials: int) -> None:
    last = rounds(Search(trials=trials, epochs=8))[-1]
    assert (last.share, last.epochs) == (1.0, 8)
    assert last.places <= 8 and last.places >= min(trials, 4)


def test_places_halve_while_rows_and_epochs_double() -> None:
    found = [(each.places, each.share, each.epochs) for each in rounds(Search(trials=24, epochs=8))]
    assert found == [(24, 0.25, 2), (12, 0.5, 4), (6, 1.0, 8)]


def test_every_round_trains_at_all() -> None:
    assert min(each.epochs for each in rounds(Search(trials=100, epochs=1))) == 1
