"""Data are used until their last day, and say why they may be used at all."""

from __future__ import annotations

from typing import Any

import pytest

from audit_pipeline.data.load import load_population


def test_a_data_set_carries_why_and_until_when_it_may_be_used(dataset: Any) -> None:
    dataset.manifest |= {"lawful_basis": "consent of each person", "retention": {"until": "2030-12-31"}}
    part = dataset.load().part
    assert (part.lawful_basis, part.retention_until) == ("consent of each person", "2030-12-31")


def test_a_data_set_that_names_neither_is_taken_and_says_so(dataset: Any) -> None:
    part = dataset.load().part
    assert (part.lawful_basis, part.retention_until) == (None, None)


def test_on_its_last_day_a_data_set_is_used_and_on_the_next_no_split_is_opened(dataset: Any) -> None:
    dataset.manifest["retention"] = {"until": "2030-12-31"}
    dataset.write()
    load_population(dataset.path, now="2030-12-31T23:59:59Z")
    for split in dataset.folder.glob("*.npz"):
        split.unlink()  # what is not there is not missed: the day is asked first
    error = dataset.refused(lambda: load_population(dataset.path, now="2031-01-01T00:00:00Z"))
    assert error.code == "data.retention-passed"
    assert error.where == dataset.line_of("retention")
    assert error.what == "the data may be used until 2030-12-31, and it is 2031-01-01"


@pytest.mark.parametrize(
    ("retention", "complaint"),
    [
        ({}, "retention.until: missing key: the last day, UTC"),
        ({"until": "2030-02-30"}, "retention.until: there is no day 2030-02-30"),
        ({"until": "soon"}, 'retention.until: "soon" does not have the form'),
        ({"until": 2030}, "retention.until: must be text, not 2030"),
        ("2030-12-31", "retention: must be a mapping"),
    ],
)
def test_a_day_that_is_none_is_refused(dataset: Any, retention: Any, complaint: str) -> None:
    dataset.manifest["retention"] = retention
    dataset.write_manifest()
    assert complaint in dataset.refused(lambda: load_population(dataset.path)).what
