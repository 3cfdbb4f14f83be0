"""Measured numbers in their unit."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_sample import make_evidence

from audit_pipeline.measurement import Interval, Measured, MetricKey, NotMeasurable, Scale
from audit_pipeline.report.quantity import SHARES, Quantity, quantity_of

PULSE = Quantity(Scale.LABEL, "beats/min")


def interval(low: float, high: float) -> Interval:
    return Interval(low=low, high=high, level=0.95, method="t")


@pytest.mark.parametrize(
    ("value", "words"), [(0.62, "+0.620"), (-0.01, "−0.010"), (0.0, "0.000"), (-0.0001, "0.000"), (0.0001, "0.000")]
)
def test_a_change_of_a_share_has_a_sign_unless_it_is_nought(value: float, words: str) -> None:
    assert SHARES.change(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0.00"),
        (4.2137, "4.21"),
        (0.012345, "0.0123"),
        (-73.456, "−73.5"),
        (1234.5, "1,234"),
        (1.5e12, "1.50e+12"),
        (2.5e-9, "2.50e−09"),
    ],
)
def test_other_numbers_have_three_digits(value: float, words: str) -> None:
    assert PULSE.value(value) == words


@given(st.floats(1e-12, 1e12))
def test_three_digits_are_close_to_the_number(value: float) -> None:
    words = PULSE.value(value).replace(",", "").replace("\N{MINUS SIGN}", "-")
    assert math.isclose(float(words), value, rel_tol=0.0051)


def test_the_ends_of_an_interval_have_the_same_decimals() -> None:
    assert PULSE.range(interval(0.0004, 5.3)) == "0.00 to 5.30"
    assert PULSE.change_range(interval(-12.34, 0.5)) == "−12.3 to +0.5"
    assert PULSE.range(None) == ""


def test_a_unit_stands_behind_its_values() -> None:
    assert PULSE.with_unit("4.21") == "4.21 beats/min"
    assert PULSE.caption == " in beats/min"
    assert SHARES.with_unit("0.7") == "0.7"
    assert SHARES.caption == Quantity(Scale.PER_HOUR).caption == ""
    assert Quantity(Scale.LABEL).caption == " in the unit of the labels"


def test_what_could_not_be_measured_is_said_briefly() -> None:
    assert PULSE.brief(None) == "–"
    assert PULSE.brief(NotMeasurable(reason="no rows", rows=0)) == "not measurable"
    assert PULSE.brief(Measured(estimate=71.24, rows=3)) == "71.2"


def test_only_a_metric_in_the_labels_unit_has_it() -> None:
    data = make_evidence().data.model_copy(update={"unit": "mm\nHg"})
    error = MetricKey(name="mae", higher_is_better=False, scale=Scale.LABEL)
    assert quantity_of(data, error) == Quantity(Scale.LABEL, "mm Hg")
    assert quantity_of(data, MetricKey(name="auc", higher_is_better=True)) == SHARES
    hourly = MetricKey(name="false_alarms_per_hour", higher_is_better=False, scale=Scale.PER_HOUR)
    assert quantity_of(data, hourly).unit == ""
