"""A manifest may say what differential privacy the training is claimed to have kept."""

from __future__ import annotations

from typing import Any

import pytest


def test_a_claim_is_carried_into_what_is_said_of_the_data(dataset: Any) -> None:
    dataset.manifest["differential_privacy"] = {"epsilon": 3.0, "delta": 1e-5, "unit": "people"}
    claim = dataset.load().part.differential_privacy
    assert (claim.epsilon, claim.delta, claim.unit) == (3.0, 1e-5, "people")


def test_a_claim_is_of_rows_unless_it_says_otherwise_and_none_is_needed(dataset: Any) -> None:
    assert dataset.load().part.differential_privacy is None
    dataset.manifest["differential_privacy"] = {"epsilon": 3, "delta": 0}
    assert dataset.load().part.differential_privacy.unit == "rows"


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ({"epsilon": 0, "delta": 0.1}, "differential_privacy.epsilon: must be above 0"),
        ({"epsilon": 1, "delta": 1}, "differential_privacy.delta: must be below 1"),
        ({"epsilon": 1}, "differential_privacy.delta: missing key"),
        ({"epsilon": 1, "delta": 0, "unit": "beats"}, "differential_privacy.unit"),
        ({"epsilon": 1, "delta": 0, "sigma": 2}, "differential_privacy.sigma: unknown key"),
    ],
)
def test_a_claim_that_makes_no_sense_is_refused_where_it_stands(dataset: Any, claim: object, words: str) -> None:
    dataset.manifest["differential_privacy"] = claim
    error = dataset.refused()
    assert words in str(error)
    assert str(error).startswith(dataset.line_of("differential_privacy"))
