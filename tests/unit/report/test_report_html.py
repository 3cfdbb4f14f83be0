"""The page: complete, safe, self-contained, and in the right order."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from report_hostile import HOSTILE, hostile_evidence
from report_sample import GROUPS, METRICS, SIGN_FLIPS, make_evidence
from report_tasks import make_anomaly, make_regression

from audit_pipeline.evidence import Evidence, Footprint
from audit_pipeline.measurement import GroupKey, MetricKey, Outcome
from audit_pipeline.report.headline import headline
from audit_pipeline.report.html import MOST_REASONS, render_html
from audit_pipeline.report.markdown import render_markdown
from audit_pipeline.report.rules import claim_of, limit_in_words, value_in_words
from audit_pipeline.report.verdicts import remark
from audit_pipeline.report.wording import group_name

VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """What a browser would see: text, tags, attributes, and whether every element is closed where it was opened."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.words: list[str] = []
        self.cells: list[str] = []
        self.feed(text)
        self.close()
        self.text = " ".join("".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag in {"td", "th", "li", "p", "dd"}:
            self.words.append(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)
        if tag == "small":
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data.replace("\u00a0", " "))


@pytest.fixture(scope="module")
def page(sample_evidence: Evidence) -> str:
    return render_html(sample_evidence)


@pytest.fixture(scope="module")
def hostile_page() -> str:
    return render_html(hostile_evidence())


def test_every_element_is_closed_where_it_was_opened(page: str) -> None:
    parsed = Page(page)
    assert parsed.unbalanced == []
    assert parsed.open == []


def test_no_id_is_given_twice_and_every_reference_has_its_target(page: str) -> None:
    tags = Page(page).tags
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    named = [name for _, attrs in tags for name in (attrs.get("aria-labelledby") or "").split()]
    linked = [href[1:] for tag, attrs in tags if tag == "a" and (href := attrs["href"])]
    assert set(named + linked) <= set(ids)


def test_the_page_loads_nothing_and_runs_nothing(page: str) -> None:
    parsed = Page(page)
    assert not [tag for tag, _ in parsed.tags if tag in {"script", "iframe", "object", "embed", "img", "image", "use"}]
    for _, attrs in parsed.tags:
        assert not [name for name in attrs if name.startswith("on")]
        for name in ("src", "href", "xlink:href", "action", "poster", "srcset"):
            assert (attrs.get(name) or "#").startswith(("#", "data:,"))
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_the_verdict_comes_before_everything_else(page: str, sample_evidence: Evidence) -> None:
    said = headline(sample_evidence)
    assert Page(page).text.split("How to verify")[0].index(f"{said.word}: {said.meaning}") < 200
    positions = [page.index(mark) for mark in ("<h1>", "<svg", 'id="groups"', "<table", 'id="findings"')]
    assert positions == sorted(positions)
    order = [page.index(f'id="{name}"') for name in ("groups", "footprint", "human", "verify")]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("outcome", "sealed", "words"),
    [
        (Outcome.FAIL, False, "REFUSED: the compressed model must not ship"),
        (Outcome.PASS, True, "SEALED: the image is signed"),
        (Outcome.PASS, False, "PASSED: evaluated only, nothing was sealed"),
        (Outcome.INCONCLUSIVE, False, "INCONCLUSIVE: not sealed"),
    ],
)
def test_the_headline_says_what_was_decided(outcome: Outcome, sealed: bool, words: str) -> None:
    said = headline(make_evidence(outcome, sealed=sealed))
    assert f"{said.word}: {said.meaning}".startswith(words)


def test_a_rule_that_was_never_judged_is_not_counted_as_held() -> None:
    evidence = make_evidence(Outcome.PASS, sealed=False)
    verdict = evidence.verdict.model_copy(update={"outcome": Outcome.INCONCLUSIVE, "reasons": ("privacy[0]: nothing",)})
    tally = headline(evidence.model_copy(update={"verdict": verdict})).tally
    assert tally == "Of 20 checks: 20 passed. Not every rule of the policy could be judged. No image was made."


def test_every_finding_is_on_the_page_with_its_numbers(page: str, sample_evidence: Evidence) -> None:
    text = Page(page).text
    for finding in sample_evidence.findings:
        assert claim_of(finding) in text
        assert limit_in_words(sample_evidence, finding) in text
        assert all(part in text for part in value_in_words(sample_evidence, finding))
        assert remark(sample_evidence, finding) in text
    assert all(reason in text for reason in sample_evidence.verdict.reasons[:MOST_REASONS])


def test_p_values_stand_beside_the_limits_they_judge_raw_and_adjusted(sample_evidence: Evidence, page: str) -> None:
    text = Page(page).text
    assert "adjusted by Holm (1979) for all 15 limits on fairness" in text
    shown = {"FAIL": "<0.001 <0.001", "INCONCLUSIVE": "0.012 0.13", "PASS": "0.5 1"}
    assert shown[sample_evidence.verdict.outcome.value] in text
    assert not re.search(r"[^.\d]0(\.0+)?(e-\d+)? adjusted|p = 0[^.]", text)


def test_the_test_for_any_change_stands_beside_the_worsening(page: str) -> None:
    text = Page(page).text
    assert f"Any change: {SIGN_FLIPS}" in text
    assert "−0.002 to +0.022 0.31 1" in text


def test_what_compares_groups_has_a_heading_and_a_picture_but_no_table(page: str) -> None:
    text = Page(page).text
    assert "PASS between groups of sex: 0.062 (0.042 to 0.082) on 1,204 rows of 8 people; at most 0.1; p = 0.5" in text
    regions = [attrs.get("aria-label") or "" for _, attrs in Page(page).tags]
    for name in ("Equalized odds difference", "Demographic parity ratio"):
        assert f"Picture of {name} by group" in regions
        assert f"{name} by group" not in regions


def test_a_gap_stands_beside_what_chance_would_show(page: str, sample_evidence: Evidence) -> None:
    said = "Were all groups alike, chance would show about +0.012, and less than +0.041 in 95% of samples"
    assert said in Page(page).text
    assert said in render_markdown(sample_evidence)


def test_every_interval_names_its_method(page: str) -> None:
    text = Page(page).text
    assert "intervals: 95% wilson; worsening 95% subject bootstrap." in text
    assert "Intervals between groups: 95% subject bootstrap." in text
    assert "the given share of false ones. Intervals: 95% wilson." in text


def test_changed_rows_are_counted_and_named_by_number(page: str) -> None:
    text = Page(page).text
    assert "Compression changed the class of 612 of 12,884 rows (4.8%): 590 lost" in text
    assert "sex=F 4,000 8 0.0900.070 to 0.110 0.0300.010 to 0.050 3.00 <0.001 <0.001" in text
    assert "40113 V → F lost +0.980" in text
    assert "evidence.json lists 30" in text
    assert text.count(" lost +") + text.count(" other +") == 20


def test_numbers_that_are_no_shares_name_their_unit() -> None:
    text = Page(render_html(make_regression())).text
    assert "Mean absolute error in beats/min" in text
    assert "Overall 4.21 → 4.47 beats/min." in text
    assert "FAIL between groups of sex: +5.64 beats/min (+4.74 to +6.54) on 880 rows of 11 people; at most 3" in text
    assert "An estimate that is too low. It harms the wearer" in text
    assert "Rows by class" not in text
    hourly = Page(render_html(make_anomaly())).text
    assert "Overall 3.20 → 3.40." in hourly
    assert "the error with which an autoencoder gives its input back" in hourly
    assert "a score above 0.37125 is anomaly" in hourly


def test_failures_stand_before_passes(refused: Evidence) -> None:
    page = render_html(refused)
    assert page.index("Failed: 6") < page.index("Passed: ")


def test_what_could_not_be_measured_says_why(page: str) -> None:
    assert "no row of class F in this group" in Page(page).text


def test_a_device_that_cannot_run_the_model_says_so() -> None:
    evidence = make_evidence()
    footprint = Footprint.model_validate(
        evidence.footprint.model_dump() | {"arena_bytes": None, "fits": False, "flash_limit": 20_000}
    )
    text = Page(render_html(evidence.model_copy(update={"footprint": footprint, "kernels": None}))).text
    assert "the device cannot run the model" in text
    assert "does not fit: 7,720 bytes too many" in text
    assert "there are no device figures" in text


def test_every_group_has_its_line_in_every_table(page: str) -> None:
    heads = [attrs for tag, attrs in Page(page).tags if tag == "th" and attrs.get("scope") == "row"]
    assert len(heads) > len(GROUPS) * len(METRICS)


def test_human_centred_answers_are_all_there(page: str) -> None:
    text = Page(page).text
    for answer in ("warns its wearer", "ambulance crews", "A missed V", "Clinical safety officer", "five days"):
        assert answer in text
    for answer in ("record numbers of wearers", "Product owner, Acme Wearables", "the policy asks for no approval"):
        assert answer in text


def test_an_unanswered_question_is_shown_as_such(refused: Evidence) -> None:
    bare = refused.model_copy(update={"policy": refused.policy.model_copy(update={"document": {}})})
    asked, above = 9, 2  # who answers for an error is said under the verdict too
    assert Page(render_html(bare)).text.count("not answered in the policy") == asked + above


def test_the_attack_is_called_weak_wherever_it_is_shown(page: str, sample_evidence: Evidence) -> None:
    shown = 1 + len(sample_evidence.membership) + sum(f.rule == "privacy[0]" for f in sample_evidence.findings)
    assert Page(page).text.lower().count("weak attacker: losses only") == shown


@pytest.mark.parametrize("synthetic", [True, False])
def test_generated_data_are_called_synthetic_wherever_they_are_named(synthetic: bool) -> None:
    text = Page(render_html(make_evidence(synthetic=synthetic))).text
    around = [text[max(0, m.start() - 60) : m.end() + 60] for m in re.finditer("mit-bih-arrhythmia", text)]
    assert len(around) >= 3
    assert all(("synthetic" in each.lower()) is synthetic for each in around)


def test_the_commands_to_verify_name_the_evidence_by_its_digest(page: str, sample_evidence: Evidence) -> None:
    from audit_pipeline.canonical import sha256_hex

    text = Page(page).text
    assert sha256_hex(sample_evidence.canonical()) in text
    for command in ("audit gate", "audit log verify", "audit report"):
        assert command in text
    assert ("audit verify" in text) is (sample_evidence.seal is not None)


def test_the_same_evidence_gives_the_same_bytes(sample_evidence: Evidence, page: str) -> None:
    again = Evidence.model_validate_json(sample_evidence.canonical())
    assert render_html(again) == page


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_group_values_are_shown_as_text(hostile_page: str, value: str) -> None:
    assert group_name(GroupKey(by=("sex",), values=(value,))) in Page(hostile_page).text


def test_hostile_names_leave_the_page_whole(hostile_page: str) -> None:
    parsed = Page(hostile_page)
    assert parsed.unbalanced == []
    assert not [tag for tag, _ in parsed.tags if tag in {"script", "img"}]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e\ufffe]", hostile_page)


def test_fifty_groups_and_six_ruled_metrics_stay_under_a_megabyte() -> None:
    groups = (
        GroupKey(),
        *(
            GroupKey(by=("site", "age"), values=(f"St. Somebody's Hospital, ward {n}", f"{n}-{n + 1}"))
            for n in range(50)
        ),
    )
    metrics = tuple(MetricKey(name="recall", class_=f"class {n}", higher_is_better=True) for n in range(6))
    page = render_html(make_evidence(groups=groups, metrics=(METRICS[0], *metrics), ruled=metrics))
    assert len(page.encode()) < 1_000_000
    assert "The picture shows the 24 worst of 50 groups; the table holds all." in page


def test_five_hundred_groups_are_all_there_in_a_page_of_a_few_megabytes() -> None:
    groups = (GroupKey(), *(GroupKey(by=("ward",), values=(f"{n}" + "\n<b>🙂</b>|" * 1_000,)) for n in range(500)))
    page = render_html(make_evidence(groups=groups))
    parsed = Page(page)
    assert len(page.encode()) < 4_000_000
    assert parsed.unbalanced == []
    assert all(parsed.text.count(f"ward={n} <b>") >= len(METRICS) for n in range(500))
    assert max(len(cell) for cell in parsed.text.split("ward=")) < 20_000


def test_a_run_without_groups_still_has_a_page(refused: Evidence) -> None:
    bare = refused.model_copy(
        update={"groups": (), "findings": (), "exemplars": None, "membership": (), "blob_scan": None, "trail": None}
    )
    text = Page(render_html(bare)).text
    assert "Nothing was compared by group." in text
    assert "No membership attack was run." in text
