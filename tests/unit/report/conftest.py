from __future__ import annotations

import pytest
from report_sample import make_evidence

from audit_pipeline.evidence import Evidence
from audit_pipeline.measurement import Outcome


@pytest.fixture(scope="module", params=list(Outcome), ids=str)
def sample_evidence(request: pytest.FixtureRequest) -> Evidence:
    """A whole run, once for each verdict."""
    return make_evidence(request.param)


@pytest.fixture(scope="module")
def refused() -> Evidence:
    """A run in which women's recall collapses while accuracy rises."""
    return make_evidence(Outcome.FAIL)
