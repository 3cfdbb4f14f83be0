"""The exact test of paired counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from audit_pipeline.statistics.mcnemar import p_changed, p_worse


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_both_tails_equal_the_binomial_test(worse: int, better: int) -> None:
    changed = worse + better
    if changed == 0:
        assert p_worse(worse, better) == p_changed(worse, better) == 1
        return
    one = binomtest(worse, changed, alternative="greater").pvalue
    assert p_worse(worse, better) == pytest.approx(one, rel=1e-8, abs=1e-300)
    assert p_changed(worse, better) == pytest.approx(binomtest(worse, changed).pvalue, rel=1e-8, abs=1e-300)


def test_the_published_p_value_for_airway_reactivity() -> None:
    """Bentur et al. 2009 in Fagerland, Lydersen & Laake (2013), BMC Med. Res. Methodol. 13:91: 1 and 7 disagree."""
    assert p_changed(1, 7) == pytest.approx(0.0703, abs=5e-5)


def test_a_million_changed_rows_are_no_trouble() -> None:
    assert p_changed(501_000, 499_000) == pytest.approx(0.0456, abs=2e-4)
