"""Cells: counted once, merged to the bit, cut into the groups that the split itself would give."""

from __future__ import annotations

import zipfile
from collections import Counter
from dataclasses import fields, replace
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_pipeline.data.population import Split
from audit_pipeline.errors import InputError
from audit_pipeline.evaluate.cells import Cells, count_cells
from audit_pipeline.evaluate.cells_file import cells_from_npz, cells_to_npz
from audit_pipeline.evaluate.merge import merge
from audit_pipeline.predictions import Predictions, Task

CLASSES = ("N", "S", "V")
Data = tuple[Predictions | None, Predictions, Split]


def same(first: Cells, second: Cells) -> bool:
    """Equal to the bit, names, order and all."""

    def plain(value: object) -> object:
        if isinstance(value, np.ndarray):
            return value.dtype.str, value.shape, value.tobytes()
        return [(key, plain(one)) for key, one in value.items()] if isinstance(value, dict) else value

    return all(plain(getattr(first, f.name)) == plain(getattr(second, f.name)) for f in fields(Cells))


def population(rows: int, seed: int, people: int = 7, grid: int = 4) -> Data:
    """Few distinct values of everything, so that cells hold several rows even with scores."""
    rng = np.random.default_rng(seed)
    person = rng.integers(0, people, rows)
    names = np.array(["Åse", "bo", "Bo", "", "<b>", "line\nbreak", "🫀 Zoë", "zz"])
    groups = {
        "sex": np.array(["f", "m", "unknown"])[rng.integers(0, 3, rows)],
        "age": np.array(["0-44", "45-64"])[person % 2],
    }
    scores = (rng.integers(0, grid, (2, rows, 3)) / grid).astype(np.float32)
    split = Split(np.zeros((rows, 1), np.float32), rng.integers(0, 3, rows), groups, names[person])
    return Predictions(scores[0], 0.0, "float"), Predictions(-scores[1] * 0 + scores[1], 0.0, "tflite-micro"), split


def part(data: Data, where: np.ndarray) -> Data:
    before, after, split = data
    cut = Split(
        split.x[where],
        split.y[where],
        {column: values[where] for column, values in split.groups.items()},
        None if split.subjects is None else split.subjects[where],
        None if split.target is None else split.target[where],
    )
    return (
        None if before is None else replace(before, scores=before.scores[where]),
        replace(after, scores=after.scores[where]),
        cut,
    )


def test_cells_are_the_distinct_rows_in_order_with_their_number() -> None:
    before, after, split = population(500, 1)
    assert before is not None
    assert split.subjects is not None
    cells = count_cells(before, after, split, CLASSES)
    assert cells.people is not None
    assert cells.before is not None
    rows = zip(
        split.subjects, split.groups["age"], split.groups["sex"], split.y, before.labels, after.labels, strict=True
    )
    expected = sorted(Counter(tuple(map(str, row[:3])) + tuple(map(int, row[3:])) for row in rows).items())
    found = [
        (
            (
                cells.people[cells.person[i]],
                cells.values["age"][cells.groups["age"][i]],
                cells.values["sex"][cells.groups["sex"][i]],
                cells.true[i],
                cells.before[i],
                cells.after[i],
            ),
            cells.rows[i],
        )
        for i in range(len(cells))
    ]
    assert found == expected
    assert cells.total == 500


@settings(max_examples=60)
@given(
    rows=st.integers(0, 120),
    seed=st.integers(0, 2**32 - 1),
    parts=st.integers(1, 5),
    with_scores=st.booleans(),
    order=st.randoms(use_true_random=False),
)
def test_any_parts_merged_in_any_order_are_the_whole(
    rows: int, seed: int, parts: int, with_scores: bool, order: object
) -> None:
    data = population(rows, seed)
    whole = count_cells(*data, CLASSES, with_scores=with_scores)
    owner = np.random.default_rng(seed + 1).integers(0, parts, rows)
    counted = [
        count_cells(*part(data, np.flatnonzero(owner == number)[::-1]), CLASSES, with_scores=with_scores)
        for number in range(parts)
    ]
    order.shuffle(counted)  # type: ignore[attr-defined]
    while len(counted) > 1:
        first = counted.pop(order.randrange(len(counted)))  # type: ignore[attr-defined]
        counted[0] = merge(first, counted[0])
    assert same(counted[0], whole)


def test_merging_is_associative_and_commutative() -> None:
    data = population(300, 3)
    a, b, c = (count_cells(*part(data, np.arange(at, 300, 3)), CLASSES, with_scores=True) for at in range(3))
    assert same(merge(merge(a, b), c), merge(a, merge(b, c)))
    assert same(merge(a, b), merge(b, a))


def test_a_zero_has_no_sign() -> None:
    plus = np.zeros((4, 3), np.float32)
    split = Split(plus, np.zeros(4, np.int64), {}, None)
    minus = Predictions(-plus, 0.0, "float")
    both = [count_cells(None, p, split, CLASSES, with_scores=True) for p in (minus, replace(minus, scores=plus))]
    assert same(*both)
    assert len(both[0]) == 1


def test_a_regression_keeps_targets_and_predicted_values() -> None:
    rng = np.random.default_rng(5)
    target = np.round(rng.normal(size=90), 1)
    made = np.round(rng.normal(size=(90, 1)), 1).astype(np.float32)
    split = Split(made, np.zeros(90, np.int64), {"sex": rng.choice(["f", "m"], 90)}, None, target)
    data: Data = (None, Predictions(made, 0.0, "float", Task.REGRESSION), split)
    whole = count_cells(*data, ())
    assert whole.target is not None
    assert whole.after_scores is not None
    assert Counter(zip(target, made[:, 0], strict=True)) == sum(
        (Counter({(t, s[0]): int(n)}) for t, s, n in zip(whole.target, whole.after_scores, whole.rows, strict=True)),
        Counter(),
    )
    halves = [count_cells(*part(data, np.arange(at, 90, 2)), ()) for at in range(2)]
    assert same(merge(*halves), whole)


def test_an_anomaly_score_is_one_column_and_two_classes() -> None:
    made = np.array([[0.1], [0.9], [0.5]], np.float32)
    split = Split(made, np.array([0, 1, 1]), {}, None)
    cells = count_cells(None, Predictions(made, 0.0, "float", Task.ANOMALY, 0.5), split, ("normal", "anomaly"))
    assert (cells.true.tolist(), cells.after.tolist(), cells.rows.tolist()) == ([0, 1, 1], [0, 0, 1], [1, 1, 1])
    assert cells.after_scores is None


@pytest.mark.parametrize("spec", ["overall", "sex", "age*sex", "sex*age"])
def test_groups_are_those_of_the_split(spec: str) -> None:
    before, after, split = population(200, 6)
    cells = count_cells(before, after, split, CLASSES)
    grouping = cells.groups_of(spec)
    members = split.members(spec)
    assert list(grouping.keys) == [key for key, _ in members]
    rows = np.bincount(grouping.number, cells.rows, len(grouping))
    assert rows.tolist() == [mask.sum() for _, mask in members]


def test_fifty_columns_do_not_overflow() -> None:
    rng = np.random.default_rng(7)
    columns = {f"c{number:02}": np.char.mod("v%d", rng.integers(0, 30, 400)) for number in range(50)}
    split = Split(np.zeros((400, 1), np.float32), rng.integers(0, 3, 400), columns, None)
    after = Predictions(rng.random((400, 3)).astype(np.float32), 0.0, "float")
    cells = count_cells(None, after, split, CLASSES)
    assert len(cells) == 400
    grouping = cells.groups_of("*".join(columns))
    values = sorted(zip(*columns.values(), strict=True))
    assert [key.values for key in grouping.keys] == [tuple(map(str, row)) for row in values]


def test_an_unknown_column_is_refused() -> None:
    cells = count_cells(*population(20, 8), CLASSES)
    with pytest.raises(InputError) as error:
        cells.groups_of("sex*height")
    assert error.value.code == "data.unknown-group"


def test_predictions_must_fit_and_be_finite() -> None:
    before, after, split = population(20, 9)
    with pytest.raises(InputError) as error:
        count_cells(before, after, split, ("N", "S"))
    assert error.value.code == "evaluate.scores-shape"
    after.scores[7, 1] = np.nan
    with pytest.raises(InputError) as error:
        count_cells(before, after, split, CLASSES)
    assert (error.value.code, error.value.where) == ("evaluate.scores-not-finite", "evaluation row 7")


def test_parts_that_were_counted_differently_do_not_merge() -> None:
    before, after, split = population(20, 10)
    whole = count_cells(before, after, split, CLASSES)
    for other in (
        count_cells(None, after, split, CLASSES),
        count_cells(before, after, split, ("N", "V", "S")),
        count_cells(before, after, split, CLASSES, with_scores=True),
        count_cells(before, after, replace(split, subjects=None), CLASSES),
        count_cells(before, after, replace(split, groups={}), CLASSES),
    ):
        with pytest.raises(InputError) as error:
            merge(whole, other)
        assert error.value.code == "evaluate.parts-differ"


@pytest.mark.parametrize("with_scores", [False, True])
@pytest.mark.parametrize("rows", [0, 150])
def test_a_file_gives_back_the_same_cells(rows: int, with_scores: bool) -> None:
    cells = count_cells(*population(rows, 11), CLASSES, with_scores=with_scores)
    assert same(cells_from_npz(cells_to_npz(cells), "part.npz"), cells)
    nobody = count_cells(*part(population(rows, 11), np.arange(rows)), CLASSES)
    nobody = replace(nobody, people=None, person=nobody.person * 0)
    assert cells_from_npz(cells_to_npz(nobody), "part.npz").people is None


def _damaged() -> list[Cells]:
    cells = count_cells(*population(80, 12), CLASSES, with_scores=True)
    assert cells.after_scores is not None
    return [
        replace(cells, rows=cells.rows * 0),
        replace(cells, rows=-cells.rows),
        replace(cells, rows=cells.rows + (1 << 60)),
        replace(cells, rows=cells.rows.astype(np.float64)),
        replace(cells, true=cells.true + 1),
        replace(cells, person=cells.person[:-1]),
        replace(cells, person=np.maximum(cells.person, 1)),
        replace(cells, people=cells.people[::-1] if cells.people else None),
        replace(cells, people=None),
        replace(cells, values={**cells.values, "age": ("0-44", "0-44")}),
        replace(cells, values={"age": cells.values["age"]}),
        replace(cells, after_scores=cells.after_scores * np.float32(np.inf)),
        replace(cells, after_scores=cells.after_scores[:, 0]),
        replace(cells, after=None),  # type: ignore[arg-type]
    ]


@pytest.mark.parametrize("number", range(14))
def test_a_file_that_holds_no_cells_is_refused(number: int) -> None:
    with np.errstate(invalid="ignore"):
        raw = cells_to_npz(_damaged()[number])
    with pytest.raises(InputError) as error:
        cells_from_npz(raw, "part.npz")
    assert (error.value.code, error.value.where) == ("evaluate.cells-damaged", "part.npz")


def test_other_files_are_refused() -> None:
    stream = BytesIO()
    np.savez(stream, names=np.frombuffer(b'{"values": 7}', np.uint8), rows=np.ones(3))
    empty = BytesIO()
    zipfile.ZipFile(empty, "w").close()
    for raw in (b"", b"PK", stream.getvalue(), empty.getvalue()):
        with pytest.raises(InputError) as error:
            cells_from_npz(raw, "part.npz")
        assert error.value.code == "evaluate.cells-damaged"
