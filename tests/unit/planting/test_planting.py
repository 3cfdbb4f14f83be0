"""Canaries as they are planted, recorded, and read back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audit_pipeline.canonical import sha256_file, sha256_hex
from audit_pipeline.data.load import load_population
from audit_pipeline.errors import InputError
from audit_pipeline.planting.folder import check_folder, write_folder
from audit_pipeline.planting.plant import plant
from audit_pipeline.privacy.canaries.record import check_belongs, read_record
from audit_pipeline.privacy.one_run import guesses_for

ROWS, COUNT = 200, 60
CLASSES = ["N", "S", "V"]
MANIFEST: dict[str, Any] = {
    "version": 1,
    "name": "small",
    "description": "rows of nothing",
    "source": "s",
    "synthetic": True,
    "features": "f_*",
    "label": "y",
    "classes": CLASSES,
    "subject": "who",
    "groups": {"sex": {"column": "sex"}, "age_band": {"column": "f_age", "bins": [0, 45, 120]}},
    "splits": {"train": "train.npz", "calibration": "calibration.npz", "evaluation": "evaluation.npz"},
}


def columns(number: int) -> dict[str, Any]:
    """A split's columns; the age is a feature as well as a group, and a sex is missing."""
    random = np.random.default_rng(number)
    return {
        "f_0": random.normal(size=ROWS).round(3),
        "f_1": random.integers(0, 9, ROWS),
        "f_age": random.integers(20, 80, ROWS).astype(float),
        "y": np.array(CLASSES)[np.arange(ROWS) % 3],
        "who": np.arange(ROWS) // 4 + 1000 * number,
        "sex": np.where(np.arange(ROWS) % 7 == 0, "", np.where(np.arange(ROWS) % 2 == 0, "F", "M")),
        "unused": np.zeros(ROWS),
    }


def write_split(path: Path, held: dict[str, Any]) -> None:
    if path.suffix == ".npz":
        np.savez(path, **held)
        return
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    table = pa.table(held)
    pa.csv.write_csv(table, path) if path.suffix == ".csv" else pa.parquet.write_table(table, path)


def write(folder: Path, ending: str = "npz", **changes: Any) -> Path:
    folder.mkdir(exist_ok=True)
    manifest = MANIFEST | {"splits": {name: f"{name}.{ending}" for name in MANIFEST["splits"]}} | changes
    for number, file in enumerate(manifest["splits"].values(), 1):
        write_split(folder / file, columns(number))
    path = folder / "dataset.yaml"
    path.write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in manifest.items()))
    return path


def planted(tmp_path: Path, seed: int = 3, guesses: int | None = None, ending: str = "npz") -> tuple[Path, Path]:
    """Manifest and record of a data set with canaries."""
    made = plant(write(tmp_path / "source", ending), COUNT, guesses=guesses, seed=seed)
    record = write_folder(tmp_path / "out", made)
    return tmp_path / "out" / "dataset.yaml", record


@pytest.mark.parametrize("ending", ["npz", "csv", "parquet"])
def test_nothing_but_the_canaries_changes(tmp_path: Path, ending: str) -> None:
    manifest, record = planted(tmp_path, ending=ending)
    before = load_population(tmp_path / "source" / "dataset.yaml")
    after = load_population(manifest)
    canaries = read_record(record)
    row = np.load(record.with_name("canaries.npz"))["row"]
    kept = np.ones(ROWS, dtype=bool)
    kept[row[~canaries.coins]] = False
    labels = before.train.y.copy()
    labels[row] = canaries.rows.y
    np.testing.assert_array_equal(after.train.x, before.train.x[kept])
    np.testing.assert_array_equal(after.train.y, labels[kept])
    np.testing.assert_array_equal(after.train.subjects, before.train.subjects[kept])
    for column, values in before.train.groups.items():
        np.testing.assert_array_equal(after.train.groups[column], values[kept])
    for split in ("calibration", "evaluation"):
        np.testing.assert_array_equal(getattr(after, split).x, getattr(before, split).x)
        assert sha256_file(manifest.with_name(f"{split}.{ending}")) == sha256_file(
            tmp_path / "source" / f"{split}.{ending}"
        )


@pytest.mark.parametrize("ending", ["npz", "csv", "parquet"])
def test_a_training_script_finds_the_columns_as_they_were(tmp_path: Path, ending: str) -> None:
    """Numbers stay numbers, text stays text, and what the manifest does not name is still there."""
    manifest, record = planted(tmp_path, ending=ending)
    row = np.load(record.with_name("canaries.npz"))["row"]
    kept = np.ones(ROWS, dtype=bool)
    kept[row[~read_record(record).coins]] = False
    with np.load(manifest.with_name("train.npz")) as after:
        before = columns(1)
        assert set(after) == set(before)
        for name, values in before.items():
            assert (after[name].dtype.kind == "U") == (values.dtype.kind == "U")
            if name != "y":
                np.testing.assert_array_equal(after[name], values[kept])


def test_a_label_is_spelt_as_in_other_rows_of_its_class(tmp_path: Path) -> None:
    path = write(tmp_path / "source")
    held = columns(1) | {"y": np.arange(ROWS) % 3}
    np.savez(tmp_path / "source" / "train.npz", **held)
    write_folder(tmp_path / "out", plant(path, COUNT, guesses=None, seed=3))
    with np.load(tmp_path / "out" / "train.npz") as arrays:
        assert arrays["y"].dtype.kind == "i"
    after = load_population(tmp_path / "out" / "dataset.yaml").train
    assert set(after.y) == {0, 1, 2}


def test_numbers_that_are_names_keep_their_zeros(tmp_path: Path) -> None:
    path = write(tmp_path / "source", "csv")
    table = (tmp_path / "source" / "train.csv").read_text().splitlines()
    place = table[0].replace('"', "").split(",").index("who")
    lines = [line.split(",") for line in table[1:]]
    for cells in lines:
        cells[place] = f"00{cells[place]}"
    (tmp_path / "source" / "train.csv").write_text("\n".join([table[0], *(",".join(cells) for cells in lines)]) + "\n")
    before = load_population(path).train
    write_folder(tmp_path / "out", plant(path, COUNT, guesses=None, seed=3))
    after = load_population(tmp_path / "out" / "dataset.yaml").train
    assert set(after.subjects) <= set(before.subjects)


def test_every_canary_has_a_wrong_label_and_its_own_row(tmp_path: Path) -> None:
    _, record = planted(tmp_path)
    canaries = read_record(record)
    before = load_population(tmp_path / "source" / "dataset.yaml").train
    row = np.load(record.with_name("canaries.npz"))["row"]
    assert len(set(row.tolist())) == COUNT
    np.testing.assert_array_equal(canaries.rows.x, before.x[row])
    assert (canaries.rows.y != before.y[row]).all()
    assert canaries.rows.y.max() < len(CLASSES)
    assert canaries.guesses == guesses_for(COUNT)


def test_the_description_says_what_is_in_the_data(tmp_path: Path) -> None:
    manifest, _ = planted(tmp_path)
    part = load_population(manifest).part
    assert part.description == "rows of nothing (with 60 canaries: rows whose label is wrong on purpose)"


def test_coins_are_fair_and_say_nothing_of_row_or_label(tmp_path: Path) -> None:
    path = write(tmp_path / "source")
    train = load_population(path).train
    tosses, by_class = [], []
    for seed in range(25):
        made = plant(path, COUNT, guesses=None, seed=seed)
        coins = np.array([*json.loads(made.record)["coins"]]) == "1"
        with np.load(_stream(made.rows)) as rows:
            by_class.append([coins[train.y[rows["row"]] == label].mean() for label in range(3)])
        tosses.append(coins)
    assert abs(np.concatenate(tosses).mean() - 0.5) < 3.5 * 0.5 / np.sqrt(25 * COUNT)
    assert np.abs(np.nanmean(by_class, axis=0) - 0.5).max() < 0.08


def _stream(raw: bytes) -> Any:
    from io import BytesIO

    return BytesIO(raw)


def test_a_seed_repeats_the_draw_to_the_byte_and_another_does_not(tmp_path: Path) -> None:
    path = write(tmp_path / "source")
    one, same, other = (plant(path, COUNT, guesses=None, seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert one.record != other.record


def test_each_class_keeps_a_row(tmp_path: Path) -> None:
    path = write(tmp_path / "source")
    held = columns(1)
    held["y"] = np.array(["N"] * (ROWS - 1) + ["V"])
    held["y"][5] = "S"
    np.savez(tmp_path / "source" / "train.npz", **held)
    for seed in range(20):
        made = plant(path, 100, guesses=None, seed=seed)
        with np.load(_stream(made.data.files["train.npz"])) as arrays:
            assert set(arrays["y"]) == set(CLASSES)


@pytest.mark.parametrize(
    ("count", "guesses", "code", "words"),
    [
        (19, None, "canaries.count", "from 20 to 50000"),
        (101, None, "canaries.count", "too many for 200 training rows"),
        (60, 7, "canaries.guesses", "even number from 2 to 60"),
        (60, 62, "canaries.guesses", "even number from 2 to 60"),
    ],
)
def test_counts_that_cannot_be_are_refused(
    tmp_path: Path, count: int, guesses: int | None, code: str, words: str
) -> None:
    with pytest.raises(InputError, match=words) as caught:
        plant(write(tmp_path / "source"), count, guesses=guesses, seed=0)
    assert caught.value.code == code


def test_a_task_without_labels_to_get_wrong_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "source", task="regression", label="unused")
    path.write_text("".join(line for line in path.open() if not line.startswith("classes")))
    with pytest.raises(InputError) as caught:
        plant(path, COUNT, guesses=None, seed=0)
    assert caught.value.code == "canaries.no-labels"


def test_data_past_their_last_day_are_not_opened(tmp_path: Path) -> None:
    path = write(tmp_path / "source", retention={"until": "2030-12-31"})
    with pytest.raises(InputError) as caught:
        plant(path, COUNT, guesses=None, seed=0, now="2031-01-01T00:00:00Z")
    assert caught.value.code == "data.retention-passed"


def test_a_folder_is_never_written_over_and_nothing_half_written_stays(tmp_path: Path) -> None:
    made = plant(write(tmp_path / "source"), COUNT, guesses=None, seed=0)
    (tmp_path / "taken").mkdir()
    with pytest.raises(InputError) as caught:
        write_folder(tmp_path / "taken", made)
    assert caught.value.code == "canaries.exists"
    with pytest.raises(InputError) as caught:
        check_folder(tmp_path / "none" / "out")
    assert caught.value.code == "canaries.no-place"
    (tmp_path / "source" / "evaluation.npz").unlink()
    with pytest.raises(Exception, match="could not be written"):
        write_folder(tmp_path / "out", made)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "taken"]


def test_only_the_owner_may_open_the_record(tmp_path: Path) -> None:
    _, record = planted(tmp_path)
    assert record.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("version", 2),
        ("coins", "01x1" * 20),
        ("coins", "01" * 9),
        ("train_sha256", "abc"),
        ("rows_file", "../elsewhere.npz"),
        ("guesses", 3),
        ("guesses", "40"),
        ("extra", 1),
    ],
)
def test_a_record_is_read_strictly_with_the_line_at_fault(tmp_path: Path, key: str, value: Any) -> None:
    _, record = planted(tmp_path)
    document = json.loads(record.read_text())
    document[key] = value
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(given)}" for name, given in document.items())
    record.write_text("{\n" + lines + "\n}\n")
    with pytest.raises(InputError) as caught:
        read_record(record)
    assert caught.value.code.startswith("canaries.")
    assert str(caught.value).startswith(f"{record}:{2 + [*document].index(key)}: {key}")


def test_a_record_without_its_rows_or_with_others_is_refused(tmp_path: Path) -> None:
    _, record = planted(tmp_path)
    rows = record.with_name("canaries.npz")
    raw = rows.read_bytes()
    rows.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    with pytest.raises(InputError) as caught:
        read_record(record)
    assert caught.value.code == "canaries.other-rows"
    rows.unlink()
    with pytest.raises(InputError) as caught:
        read_record(record)
    assert caught.value.code == "canaries.no-rows"


def test_rows_that_do_not_fit_the_coins_are_refused(tmp_path: Path) -> None:
    _, record = planted(tmp_path)
    rows = record.with_name("canaries.npz")
    for content in ({"x": np.zeros((3, 2)), "y": np.zeros(3)}, {"x": np.zeros((COUNT, 2))}):
        np.savez(rows, **content)
        document = json.loads(record.read_text())
        record.write_text(json.dumps(document | {"rows_sha256": sha256_file(rows)}))
        with pytest.raises(InputError) as caught:
            read_record(record)
        assert caught.value.code == "canaries.rows"


def test_a_record_belongs_to_one_train_split(tmp_path: Path) -> None:
    manifest, record = planted(tmp_path)
    canaries = read_record(record)
    check_belongs(canaries, load_population(manifest), "fair.yaml:9")
    with pytest.raises(InputError, match="another shape"):
        check_belongs(
            replace(canaries, rows=replace(canaries.rows, x=canaries.rows.x[:, :1])), load_population(manifest), ""
        )
    with pytest.raises(InputError, match="none of the classes"):
        check_belongs(
            replace(canaries, rows=replace(canaries.rows, y=canaries.rows.y + 1)), load_population(manifest), ""
        )
    with pytest.raises(InputError) as caught:
        check_belongs(canaries, load_population(tmp_path / "source" / "dataset.yaml"), "fair.yaml:9")
    assert (caught.value.code, caught.value.where) == ("canaries.other-data", "fair.yaml:9")


def test_the_digest_in_the_record_is_that_of_the_planted_split(tmp_path: Path) -> None:
    made = plant(write(tmp_path / "source"), COUNT, guesses=40, seed=3)
    record = json.loads(made.record)
    assert record["train_sha256"] == sha256_hex(made.data.files["train.npz"])
    assert record["drawn_from_sha256"] == sha256_file(tmp_path / "source" / "train.npz")
    assert record["guesses"] == 40
