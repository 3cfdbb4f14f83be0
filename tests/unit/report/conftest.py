from __future__ import annotations

import pytest
from report_sample import make_evidence
from report_search import make_searched

from audit_pipeline.evidence import Evidence
from audit_pipeline.measurement import Outcome
from audit_pipeline.report.html import render_html


@pytest.fixture(scope="module", params=list(Outcome), ids=str)
def sample_evidence(request: pytest.FixtureRequest) -> Evidence:
    """A whole run, once for each verdict."""
    return make_evidence(request.param)


@pytest.fixture(scope="module")
def refused() -> Evidence:
    """A run in which women's recall collapses while accuracy rises."""
    return make_evidence(Outcome.FAIL)


@pytest.fixture(scope="session")
def searched_page() -> str:
    """The page of a run whose recipe a search found."""
    return render_html(make_searched())
