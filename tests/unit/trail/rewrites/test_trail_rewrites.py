from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from rewrite import Rewrite
from rewrite_catalogue import REWRITES
from rewrites_partial import PARTIAL
from told_log import ToldLog, told_log

_EVERY = 4
"""One rewrite in so many is tried every day, the others with the benchmarks."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToldLog]:
    with told_log(tmp_path_factory.mktemp("rewrites")) as log:
        yield log


def caught(told: ToldLog, rewrite: Rewrite) -> None:
    found = told.meets(rewrite)
    assert found.pin is not None
    assert found.witness is not None
    if rewrite.family != PARTIAL.name:
        # Otherwise it would be a poor forger, and the pin not what catches them.
        assert found.alone is None


def test_what_the_rewrites_start_from_holds(told: ToldLog) -> None:
    found = told.meets(None)
    assert (found.alone, found.pin, found.witness) == (None, None, None)


@pytest.mark.parametrize("rewrite", REWRITES[::_EVERY], ids=lambda rewrite: rewrite.name)
def test_caught_by_one_pinned_checkpoint_and_by_one_honest_witness(told: ToldLog, rewrite: Rewrite) -> None:
    caught(told, rewrite)


@pytest.mark.bench
@pytest.mark.parametrize("rewrite", REWRITES, ids=lambda rewrite: rewrite.name)
def test_every_rewrite_is_caught(told: ToldLog, rewrite: Rewrite) -> None:
    caught(told, rewrite)


def test_the_list_is_as_long_as_promised_and_names_each_rewrite_once() -> None:
    assert len(REWRITES) >= 200
    assert [name for name, count in Counter(rewrite.name for rewrite in REWRITES).items() if count > 1] == []
