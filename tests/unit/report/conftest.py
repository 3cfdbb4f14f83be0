from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import pytest
from report_sample import make_evidence
from report_search import make_searched

from audit_pipeline.evidence import Evidence
from audit_pipeline.measurement import Outcome
from audit_pipeline.report import chart, figures
from audit_pipeline.report.bars import WIDE, Axis, Bar, Frame
from audit_pipeline.report.html import render_html


@pytest.fixture(scope="session", autouse=True)
def each_picture_once() -> Iterator[None]:
    """Pages of one evidence show the same pictures, and drawing them is most of a page: equal ones are drawn once.

    That a picture is the same every time is tested where it is drawn, past this memory.
    """
    remembered = cache(chart.dot_plot)

    def dot_plot(bars: Sequence[Bar], axis: Axis, *, frame: Frame = WIDE, **words: str) -> str:
        return remembered(tuple(bars), axis, frame=frame, **words)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "dot_plot", dot_plot)
        yield


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
