"""The data set in words."""

from __future__ import annotations

from report_sample import make_evidence
from report_tasks import make_anomaly, make_regression

from audit_pipeline.evidence import InputPart
from audit_pipeline.report.population import counted, facts


def test_a_classification_names_its_classes_and_nothing_that_does_not_apply() -> None:
    said = dict(facts(make_evidence()))
    assert said["Classes"] == "N, S, V, F"
    assert said["Classes that raise an alarm"] == "S, V, F"
    assert not {"Unit of the labels", "Threshold", "Score", "Time that a row covers"} & set(said)


def test_a_regression_names_its_unit_and_no_classes() -> None:
    assert dict(facts(make_regression()))["Unit of the labels"] == "beats/min"
    said = dict(facts(make_regression(unit=None)))
    assert said["Unit of the labels"] == "not named"
    assert "Classes" not in said


def test_an_anomaly_detector_names_its_score_its_threshold_and_the_time_of_a_row() -> None:
    said = dict(facts(make_anomaly()))
    assert said["Threshold"] == "a score above 0.37125 is anomaly"
    assert said["Time that a row covers"] == "10 s"
    assert "autoencoder" in said["Score"]


def test_many_values_are_cut_and_counted() -> None:
    shown, rest = counted({f"ward {n:03}": n for n in range(500)})
    assert shown[:2] == [("ward 000", "0"), ("ward 001", "1")]
    assert rest == f"and {500 - len(shown)} more"
    assert counted({"a": 1}) == ([("a", "1")], "")
    evidence = make_evidence()
    many = evidence.data.model_copy(update={"classes": tuple(map(str, range(60)))})
    assert dict(facts(evidence.model_copy(update={"data": many})))["Classes"].endswith("22, 23, and 36 more")


def test_two_columns_with_too_many_groups_are_named_instead_of_shown() -> None:
    evidence = make_evidence()
    alone = evidence.model_copy(update={"groups": tuple(row for row in evidence.groups if len(row.group.by) < 2)})
    heading = "Too many groups to show unless a rule asks"
    assert heading not in dict(facts(evidence))
    assert dict(facts(alone))[heading] == "age_band × sex"


def test_several_inputs_and_class_weights_are_named_where_there_are_any() -> None:
    evidence = make_evidence()
    inputs = (InputPart(name="beat", shape=(128, 2)), InputPart(name="age", shape=(1,)))
    data = evidence.data.model_copy(update={"inputs": inputs, "class_weights": {"V": 4.0, "N": 0.5}})
    said = dict(facts(evidence.model_copy(update={"data": data})))
    assert said["A row holds"] == "beat 128 × 2; age 1"
    assert said["What a row of a class counts in training"] == "N 0.5, V 4"
    assert not {"A row holds", "What a row of a class counts in training"} & set(dict(facts(evidence)))


def test_a_long_value_is_shortened() -> None:
    [(name, _)], _ = counted({"<b>" * 10_000: 1})
    assert len(name) < 60
