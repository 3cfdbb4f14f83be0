from __future__ import annotations

import numpy as np
import pytest

from audit_pipeline.data.load import load_population
from audit_pipeline.demo.population import AGE_BANDS, BEATS, PEOPLE, write_population
from audit_pipeline.demo.recording import CHANNELS, CLASSES, WINDOW


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("demo")
    write_population(made, seed=5)
    return made


@pytest.fixture(scope="module")
def splits(folder):
    loaded = {}
    for split in PEOPLE:
        with np.load(folder / f"{split}.npz", allow_pickle=False) as file:
            loaded[split] = dict(file)
    return loaded


def test_the_data_stage_reads_it_and_is_told_that_it_is_synthetic(folder):
    population = load_population(folder / "dataset.yaml")
    assert population.train.x.shape == (24 * BEATS["train"], WINDOW, CHANNELS)
    assert "synthetic: true" in (folder / "dataset.yaml").read_text()
    assert "SYNTHETIC" in (folder / "dataset.yaml").read_text()


def test_equal_seeds_give_equal_bytes_and_others_do_not(folder, tmp_path):
    for name, seed in (("again", 5), ("other", 6)):
        (tmp_path / name).mkdir()
        write_population(tmp_path / name, seed=seed)
    for split in PEOPLE:
        file = f"{split}.npz"
        assert (tmp_path / "again" / file).read_bytes() == (folder / file).read_bytes()
        assert (tmp_path / "other" / file).read_bytes() != (folder / file).read_bytes()


def test_sixty_people_of_whom_fourteen_are_women(splits):
    people = {}
    for columns in splits.values():
        people |= dict(zip(columns["subject"], columns["sex"], strict=True))
    assert len(people) == 60
    assert sum(sex == "female" for sex in people.values()) == 14


def test_nobody_is_in_two_splits(splits):
    seen = [set(columns["subject"]) for columns in splits.values()]
    assert len(set.union(*seen)) == sum(len(subjects) for subjects in seen)


def test_every_intersection_is_in_every_split(splits):
    for columns in splits.values():
        for sex in ("female", "male"):
            for youngest, eldest in AGE_BANDS:
                inside = (columns["sex"] == sex) & (columns["age"] >= youngest) & (columns["age"] < eldest)
                assert set(columns["y"][inside]) == set(CLASSES)


def test_women_have_premature_beats_about_as_often_as_men(splits):
    for kind in ("S", "V"):
        share = {
            sex: np.mean(np.concatenate([c["y"][c["sex"] == sex] for c in splits.values()]) == kind)
            for sex in ("female", "male")
        }
        assert share["female"] == pytest.approx(share["male"], abs=0.03)
