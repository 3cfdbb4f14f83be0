from __future__ import annotations

import pytest
from report_hostile import HOSTILE as HOSTILES
from report_privacy import attacked, make_attacked
from report_sample import GROUPS, make_evidence
from test_report_html import Page

from audit_pipeline.evidence import Evidence
from audit_pipeline.report.html import render_html
from audit_pipeline.report.markdown import render_markdown
from audit_pipeline.report.privacy import privacy_sections
from audit_pipeline.report.sections import Section


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return make_attacked()


@pytest.fixture(scope="module")
def page(evidence: Evidence) -> Page:
    return Page(render_html(evidence))


@pytest.fixture(scope="module")
def sections(evidence: Evidence) -> dict[str, Section]:
    return {section.title: section for section in privacy_sections(evidence)}


def test_every_attack_has_a_section(sections: dict[str, Section]) -> None:
    assert list(sections) == [
        "Membership (weak attacker: losses only)",
        "Membership of rows (attacker with shadow models)",
        "Membership of people (attacker with shadow models)",
        "Membership of rows, with the float model beside the device's model",
        "What compression changed for the training people",
        "Whether sex groups are exposed alike (device)",
        "Attribute inference",
        "Canaries",
        "What could not be tried, and what was left out",
        "What train_private costs every group",
        "What round costs every group",
        "Search of the model's bytes",
    ]


def test_of_the_attacks_on_a_group_the_strongest_is_shown_and_all_are_there(sections: dict[str, Section]) -> None:
    section = sections["Membership of rows (attacker with shadow models)"]
    assert section.table and section.more
    assert [(row[1], row[2]) for row in section.table.rows] == [
        ("float", "Student-t; logits"),
        ("device", "Student-t; logits"),
    ]
    assert len(section.more.rows) == 3


@pytest.mark.parametrize(
    "said",
    [
        "16 shadow models of the same kind (train:shadow), each on a random half of the people",
        "8,000 rows of 43 people were attacked, of which 4,000 were trained on",
        "0.172",
        "0.610",
        "F = 7.25, p = 0.004",
        "+0.031",
        "4 people are too few",
        "2.513",
        "empirical leakage, not a guarantee",
        "ε = 2 and δ = 1e−05 for rows",
        "17 members are too few",
        "host in metadata notes at byte 77: host name, 14 characters",
        "This was not measured: the recipe has no other step",
    ],
)
def test_page_and_markdown_say_the_same(said: str, page: Page, evidence: Evidence) -> None:
    assert said in page.text
    assert said in render_markdown(evidence).replace("\\", "").replace("\N{NO-BREAK SPACE}", " ")


def test_the_page_is_whole(page: Page) -> None:
    assert page.unbalanced == []
    assert page.open == []


@pytest.mark.parametrize("hostile", HOSTILES)
def test_what_comes_from_outside_stays_text(hostile: str) -> None:
    group = GROUPS[1].model_copy(update={"values": (hostile,)})
    evidence = make_evidence().model_copy(update={"membership": (attacked(group, 0.3, model="both", beside=hostile),)})
    assert "<script" not in render_html(evidence)
    assert "<script" not in render_markdown(evidence)


def test_without_shadows_there_is_no_word_of_them() -> None:
    assert "shadow" not in render_markdown(make_evidence())
