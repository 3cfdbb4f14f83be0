"""The F-test over pseudo-targets: groups exposed alike, in other trainings and on other people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import f as f_distribution
from scipy.stats import ttest_ind, ttest_rel

from audit_pipeline.privacy.f_test import f_test, vulnerabilities


def halves(trainings: int, people: int, rng: np.random.Generator) -> np.ndarray:
    inside = np.zeros((trainings, people), dtype=bool)
    for training in range(0, trainings, 2):
        inside[training, rng.permutation(people)[: people // 2]] = True
        inside[training + 1] = ~inside[training]
    return inside


def repeated(
    rng: np.random.Generator,
    sizes: Sequence[int],
    trainings: int = 8,
    rows: int = 1,
    leak: Sequence[float] | float = 0.05,
    among_people: float = 0.0,
    among_trainings: float = 0.0,
):
    """Flags of rows by an attack at 10 %, with a leak that differs between people and from training to training."""
    group = np.repeat(np.arange(len(sizes)), np.asarray(sizes) * rows)
    person = np.repeat(np.arange(sum(sizes)), rows)
    inside = halves(trainings, sum(sizes), rng)[:, person]
    own = np.maximum(rng.normal(0, among_people, sum(sizes)), -0.05)[person] + np.broadcast_to(leak, len(sizes))[group]
    of_training = rng.normal(0, among_trainings, (trainings, len(sizes)))[:, group]
    flagged = rng.random(inside.shape) < np.clip(0.1 + inside * (own + of_training), 0, 1)
    return flagged, inside, [group == number for number in range(len(sizes))], person


def blocks(table: np.ndarray) -> float:
    """p of the analysis of variance with trainings as blocks, written out."""
    trainings, groups = table.shape
    between = sum(trainings * (table[:, g].mean() - table.mean()) ** 2 for g in range(groups)) / (groups - 1)
    within = 0.0
    for k in range(trainings):
        for g in range(groups):
            within += (table[k, g] - table[k].mean() - table[:, g].mean() + table.mean()) ** 2
    freedom = (trainings - 1) * (groups - 1)
    return float(f_distribution.sf(between / (within / freedom), groups - 1, freedom))


def test_vulnerability_is_tpr_less_fpr_of_every_training(rng: np.random.Generator) -> None:
    flagged, inside, groups, _ = repeated(rng, (30, 50))
    found = vulnerabilities(flagged, inside, groups)
    for k in range(8):
        for g, rows in enumerate(groups):
            hits = [flagged[k, i] for i in np.flatnonzero(rows & inside[k])]
            alarms = [flagged[k, i] for i in np.flatnonzero(rows & ~inside[k])]
            assert found[k, g] == pytest.approx(sum(hits) / len(hits) - sum(alarms) / len(alarms))


def test_where_all_trainings_agree_it_is_welchs_test_of_people() -> None:
    """Rows that are always found, or never, evenly over who is in which training: only people vary."""
    pattern = np.array([[1, 1, 0, 0], [0, 0, 1, 1]], dtype=bool)
    always = [np.tile(np.repeat([1, 0], [a, b]), 2) for a, b in ((3, 5), (2, 12))]
    inside = np.concatenate([np.repeat(pattern, len(found) // 2, axis=0) for found in always]).T
    flagged = inside & np.concatenate(always).astype(bool)
    groups = [np.arange(44) < 16, np.arange(44) >= 16]
    test, oracle = f_test(flagged, inside, groups, None), ttest_ind(*always, equal_var=False)
    assert test is not None
    assert test.f == pytest.approx(oracle.statistic**2)
    assert test.p == pytest.approx(oracle.pvalue)
    assert test.within == pytest.approx(oracle.df)


def test_where_people_hardly_vary_it_is_the_paired_test_of_trainings(rng: np.random.Generator) -> None:
    flagged, inside, groups, _ = repeated(rng, (40_000, 40_000), leak=(0.2, 0.25), among_trainings=0.05)
    test = f_test(flagged, inside, groups, None)
    oracle = ttest_rel(*vulnerabilities(flagged, inside, groups).T)
    assert test is not None
    assert test.f == pytest.approx(oracle.statistic**2, rel=0.03)
    assert test.p == pytest.approx(oracle.pvalue, rel=0.1)


def test_rows_of_one_person_are_one_observation(rng: np.random.Generator) -> None:
    flagged, inside, groups, person = repeated(rng, (30, 20, 25))
    once = f_test(flagged, inside, groups, person)
    wide = [np.repeat(array, 7, axis=-1) for array in (flagged, inside, *groups, person)]
    often = f_test(wide[0], wide[1], wide[2:-1], wide[-1])
    assert once is not None
    assert often is not None
    assert often.p == pytest.approx(once.p)
    alone = f_test(wide[0], wide[1], wide[2:-1], None)
    assert alone is not None
    assert alone.f > once.f


def test_the_order_of_groups_does_not_matter(rng: np.random.Generator) -> None:
    flagged, inside, groups, person = repeated(rng, (30, 20, 25, 60), leak=(0.0, 0.1, 0.05, 0.05))
    first, second = (f_test(flagged, inside, order, person) for order in (groups, groups[::-1]))
    assert first is not None
    assert second is not None
    assert (first.f, first.p) == pytest.approx((second.f, second.p))


def test_a_group_that_is_exposed_far_more_is_found(rng: np.random.Generator) -> None:
    flagged, inside, groups, person = repeated(rng, (200, 200, 60), 16, leak=(0.05, 0.05, 0.3))
    test = f_test(flagged, inside, groups, person)
    assert test is not None
    assert test.p < 1e-4


@pytest.mark.parametrize(("trainings", "sizes"), [(2, (30, 30)), (8, (30,)), (8, (30, 1))])
def test_too_little_to_test_is_no_test(rng: np.random.Generator, trainings: int, sizes: tuple[int, ...]) -> None:
    flagged, inside, groups, person = repeated(rng, sizes, trainings)
    assert f_test(flagged, inside, groups, person) is None


def test_groups_that_do_not_vary_are_not_tested(rng: np.random.Generator) -> None:
    _, inside, groups, person = repeated(rng, (30, 30))
    assert f_test(np.zeros_like(inside), inside, groups, person) is None


def rejections(rng: np.random.Generator, runs: int, trainings: int, sizes: Sequence[int], rows: int, **varies: float):
    ours, usual = [], []
    for _ in range(runs):
        flagged, inside, groups, person = repeated(rng, sizes, trainings, rows, **varies)
        test = f_test(flagged, inside, groups, person)
        ours.append(test is not None and test.p <= 0.05)
        usual.append(blocks(vulnerabilities(flagged, inside, groups)) <= 0.05)
    return np.mean(ours), np.mean(usual)


def test_people_who_differ_are_no_difference_between_groups(rng: np.random.Generator) -> None:
    """Blocks of trainings alone take the people as given, and find two halves of one population unlike."""
    ours, usual = rejections(rng, 100, 16, (22, 12, 10), 20, among_people=0.1)
    assert ours <= 0.1
    assert usual >= 0.2


@pytest.mark.bench
@pytest.mark.parametrize("trainings", [4, 8, 16, 64])
@pytest.mark.parametrize(
    ("sizes", "rows"), [((300, 300), 1), ((1000, 100, 40), 1), ((400, 100, 50, 50, 30), 1), ((20, 20), 30)]
)
@pytest.mark.parametrize("among_people", [0.0, 0.1])
@pytest.mark.parametrize("among_trainings", [0.0, 0.03])
def test_groups_exposed_alike_are_rejected_at_most_at_the_level(
    rng: np.random.Generator,
    trainings: int,
    sizes: tuple[int, ...],
    rows: int,
    among_people: float,
    among_trainings: float,
) -> None:
    varies = {"among_people": among_people, "among_trainings": among_trainings}
    assert rejections(rng, 400, trainings, sizes, rows, **varies)[0] <= 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / 400)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)
