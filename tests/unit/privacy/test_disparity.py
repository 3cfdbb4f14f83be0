"""Groups compared on the target and over pseudo-targets, and each before and after compression."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audit_pipeline.measurement import GroupKey, Measured, NotMeasurable
from audit_pipeline.privacy.before_after import Paired, exposure_changes
from audit_pipeline.privacy.disparity import disparities
from audit_pipeline.privacy.shadow_table import ShadowTable

OVERALL = (GroupKey(), np.ones(900, dtype=bool))
LEVEL = 0.95


def table(leaks: tuple[float, ...] = (0.3, 0.3, 2.5), *, people: bool = False, seed: int = 0) -> ShadowTable:
    """Rows whose φ rises by the leak of their group where the model was trained on them; the last group is small."""
    rng = np.random.default_rng(seed)
    rows, shadows = 900, 8
    unit = np.arange(rows) // 10 if people else np.arange(rows)
    group = np.where(np.arange(rows) >= 870, len(leaks), unit % len(leaks))
    inside = np.zeros((shadows, rows), dtype=bool)
    for shadow in range(0, shadows, 2):
        chosen = rng.permutation(unit.max() + 1)[: (unit.max() + 1) // 2]
        inside[shadow] = np.isin(unit, chosen)
        inside[shadow + 1] = ~inside[shadow]
    member = np.isin(unit, rng.permutation(unit.max() + 1)[: (unit.max() + 1) // 2])
    own, gain = rng.normal(size=rows), np.array([*leaks, 0.3])[group]
    cut = [(GroupKey(by=("site",), values=(str(g),)), group == g) for g in range(len(leaks) + 1)]
    return ShadowTable(
        shadows=own + gain * inside + rng.normal(size=inside.shape),
        inside=inside,
        target=own + gain * member + rng.normal(size=rows),
        member=member,
        people=unit if people else None,
        y=np.zeros(rows, dtype=np.int64),
        groups={"site": cut, "overall": [OVERALL]},
    )


def test_an_exposed_group_stands_out_on_the_target_and_over_trainings() -> None:
    (part,) = disparities({("device", "logits"): table()}, ["site"], 0.1, 0.2, LEVEL, 0)
    assert (part.model, part.attack, part.signal, part.by) == ("device", "student_t", "logits", ("site",))
    advantages = [each.advantage for each in part.groups]
    assert [type(each) for each in advantages] == [Measured, Measured, Measured, NotMeasurable]
    assert advantages[2].estimate == max(each.estimate for each in advantages[:3] if isinstance(each, Measured))
    assert isinstance(part.gap, Measured)
    assert part.gap.interval is not None
    assert part.gap.interval.low > 0.2
    assert part.gap_p is not None
    assert part.gap_p < 0.01
    assert part.p is not None
    assert part.p < 0.01
    for each in part.groups[:3]:
        assert each.pseudo_targets == pytest.approx(each.advantage.estimate, abs=0.15)


def test_a_small_group_is_named_with_its_rows_and_left_out() -> None:
    (part,) = disparities({("device", "output"): table()}, ["site"], 0.1, 0.2, LEVEL, 0)
    small = part.groups[3]
    assert isinstance(small.advantage, NotMeasurable)
    assert small.advantage.rows == 30
    assert "20 of each are needed" in small.advantage.reason
    assert isinstance(part.gap, Measured)
    assert part.gap.rows == 870


def test_what_rests_on_pseudo_targets_is_fixed_before_the_target_is_seen() -> None:
    seen = table()
    other = replace(seen, target=np.random.default_rng(9).normal(size=900))
    first, second = (disparities({("float", "output"): t}, ["site"], 0.1, 0.2, LEVEL, 0)[0] for t in (seen, other))
    assert (first.f, first.p) == (second.f, second.p)
    assert [each.pseudo_targets for each in first.groups] == [each.pseudo_targets for each in second.groups]
    assert first.gap != second.gap


def test_groups_exposed_alike_are_not_told_apart() -> None:
    for seed in range(5):
        (part,) = disparities({("device", "output"): table((0.5, 0.5), seed=seed)}, ["site"], 0.1, 0.1, LEVEL, 0)
        assert isinstance(part.gap, Measured)
        assert part.gap.interval is not None
        assert part.gap.interval.low < 0.1
        assert part.gap_p is not None
        assert part.gap_p > 0.05


def test_people_stand_behind_the_numbers_where_they_are_named() -> None:
    (part,) = disparities({("device", "output"): table(people=True)}, ["site"], 0.1, 0.2, LEVEL, 0)
    assert isinstance(part.gap, Measured)
    assert part.gap.subjects == 87
    assert isinstance(part.groups[3].advantage, NotMeasurable)
    assert part.groups[3].advantage.subjects == 3


def test_one_large_group_alone_is_not_compared() -> None:
    (part,) = disparities({("device", "output"): table((0.3,))}, ["site"], 0.1, 0.2, LEVEL, 0)
    assert isinstance(part.gap, NotMeasurable)
    assert (part.gap_p, part.f, part.p) == (None, None, None)


@pytest.mark.parametrize("member", [True, False])
def test_where_one_side_is_missing_nothing_is_compared(member: bool) -> None:
    alone = replace(table(), member=np.full(900, member))
    (part,) = disparities({("device", "output"): alone}, ["site"], 0.1, 0.2, LEVEL, 0)
    assert isinstance(part.gap, NotMeasurable)
    assert all(isinstance(each.advantage, NotMeasurable) for each in part.groups)
    assert (part.gap_p, part.p) == (None, None)


def test_compression_that_changes_nothing_changes_no_exposure() -> None:
    same = table()
    found = exposure_changes(
        {("float", "output"): same, ("device", "output"): same}, ["overall", "site"], 0.1, LEVEL, 0
    )
    assert [each.group.label for each in found] == ["overall", "site=0", "site=1", "site=2", "site=3"]
    for each in found[:4]:
        assert each.before == each.after
        assert isinstance(each.change, Measured)
        assert each.change.estimate == 0
        assert each.change.interval is not None
        assert each.change.interval.low < 0 < each.change.interval.high
    assert isinstance(found[4].change, NotMeasurable)


def test_compression_that_blurs_members_lowers_exposure() -> None:
    sharp, blurred = table((2.5, 2.5)), table((0.0, 0.0))
    tables = {("float", "logits"): sharp, ("device", "logits"): blurred, ("device", "output"): blurred}
    found = exposure_changes(tables, ["overall"], 0.1, LEVEL, 0)
    assert [each.signal for each in found] == ["logits"]
    change, before, after = found[0].change, found[0].before, found[0].after
    assert isinstance(change, Measured)
    assert isinstance(before, Measured)
    assert isinstance(after, Measured)
    assert change.estimate == pytest.approx(after.estimate - before.estimate)
    assert change.interval is not None
    assert change.interval.high < -0.3


def test_the_change_is_paired() -> None:
    """Against a bootstrap of rows with both outcomes, written out."""
    rng = np.random.default_rng(1)
    before = rng.random(600) < 0.3
    after = np.where(rng.random(600) < 0.9, before, ~before)
    redrawn = []
    for _ in range(3000):
        rows = rng.integers(600, size=600)
        redrawn.append(after[rows].mean() - before[rows].mean())
    found = Paired(before, after, None).difference(LEVEL, 0)
    assert isinstance(found, Measured)
    assert found.interval is not None
    np.testing.assert_allclose(
        [found.interval.low, found.interval.high], np.quantile(redrawn, [0.025, 0.975]), atol=0.006
    )


def test_the_change_of_people_is_resampled_by_person() -> None:
    rng = np.random.default_rng(2)
    people = np.repeat(np.arange(30), 40)
    before = np.zeros(1200, dtype=bool)
    after = (rng.random(30) < 0.4)[people]
    redrawn = []
    for _ in range(3000):
        drawn = rng.integers(30, size=30)
        redrawn.append(after.reshape(30, 40).mean(axis=1)[drawn].mean())
    found = Paired(before, after, people).difference(LEVEL, 0)
    alone = Paired(before, after, None).difference(LEVEL, 0)
    assert isinstance(found, Measured)
    assert isinstance(alone, Measured)
    assert found.interval is not None
    assert alone.interval is not None
    ends = [found.interval.low, found.interval.high]
    np.testing.assert_allclose(ends, np.quantile(redrawn, [0.025, 0.975]), atol=0.06)
    assert found.interval.high - found.interval.low > 4 * (alone.interval.high - alone.interval.low)


@pytest.mark.parametrize(("rows", "people"), [(19, None), (60, 7)])
def test_a_change_in_few_is_not_measured(rows: int, people: int | None) -> None:
    owner = None if people is None else np.arange(rows) % people
    found = Paired(np.ones(rows, dtype=bool), np.ones(rows, dtype=bool), owner).difference(LEVEL, 0)
    assert isinstance(found, NotMeasurable)
    assert "too few" in found.reason
