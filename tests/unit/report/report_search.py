"""A run whose recipe was found by a search: twelve trials in three rounds."""

from __future__ import annotations

from typing import Any

from report_sample import make_evidence

from audit_pipeline.evidence import Evidence, SearchPart, StepPart, TrialPart
from audit_pipeline.measurement import GroupKey, Outcome

OLD_WOMEN = GroupKey(by=("sex", "age_band"), values=("F", "65-119"))
WOMEN = GroupKey(by=("sex",), values=("F",))
PLAIN: dict[str, Any] = {"quantize": {"scheme": "int8", "calibration_rows": 500, "aware": None, "lift": None}}
STEPS = (
    StepPart(
        technique="prune_neurons",
        settings={"ratio": 0.3, "importance": "worst_group", "groups": "sex", "scope": "layer", "rows": 2048},
        notes=("30 of 96 filters and units were taken out of 4 layers: flash shrinks by their weights",),
        parameters=10_214,
        zeros=0,
    ),
    StepPart(
        technique="fine_tune",
        settings={
            "epochs": 8,
            "learning_rate": 0.001,
            "batch_size": 128,
            "balance": "sex",
            "patience": 3,
            "optimizer": "Adam",
            "loss": "SparseCategoricalCrossentropy",
        },
        notes=("stopped after 6 of 8 epochs: the loss on 2 people held out fell no further",),
        parameters=10_214,
        zeros=12,
    ),
    StepPart(
        technique="quantize",
        settings={"scheme": "mixed", "calibration_rows": 500, "aware": None, "lift": ["conv1d_2/Relu"]},
        notes=("calibrated on 500 rows of the calibration split, drawn evenly over groups (age_band × sex)",),
        size_bytes=15_872,
        zipped_bytes=12_107,
    ),
)


def trial(number: int, kib: float | None, drop: float | None, violation: float | None, **more: Any) -> TrialPart:
    """One trial of the last round, whose recipe prunes and quantizes."""
    given: dict[str, Any] = {
        "number": number,
        "label": f"prune {number * 5} % of neurons, fine-tune, int8",
        "recipe": ({"prune_neurons": {"ratio": number / 20}}, PLAIN),
        "round": 2,
        "epochs": 8,
        "size_bytes": None if kib is None else int(kib * 1024),
        "arena_bytes": None if kib is None else int(kib * 820),
        "macs": None if kib is None else int(kib * 41_000),
        "worst_drop": drop,
        "worst_group": None if drop is None else OLD_WOMEN,
        "violation": violation,
        "reason": "went on to the last round",
    }
    return TrialPart(**given | more)


TRIALS = (
    trial(0, 27.1, 0.012, -0.008, label="int8", recipe=(PLAIN,), on_front=True, reason="measured as the reference"),
    trial(1, 22.4, 0.014, -0.006, on_front=True),
    trial(2, 19.9, 0.019, -0.001, on_front=True),
    trial(
        3,
        15.5,
        0.0195,
        -0.0005,
        label="prune 30 % of neurons by the worst group, fine-tune over sex, mixed",
        lifted=("conv1d_2/Relu",),
        on_front=True,
        chosen=True,
        reason="the smallest that keeps every rule",
    ),
    trial(4, 14.9, 0.031, 0.011, on_front=True, reason="breaks recall of V in sex=F, age_band=65-119"),
    trial(5, 19.1, 0.044, 0.024, worst_group=WOMEN, reason="breaks recall of V in sex=F"),
    trial(6, 8.2, 0.31, 0.29, on_front=True, round=1, epochs=4, reason="dropped: half of the round was better"),
    trial(7, 12.6, 0.058, 0.038, round=1, epochs=4, reason="dropped: half of the round was better"),
    trial(8, 21.0, 0.038, 0.018, round=1, epochs=4, reason="dropped: half of the round was better"),
    trial(9, 31.2, None, None, round=0, epochs=0, reason="larger than plain int8: not trained"),
    trial(10, None, None, None, round=0, epochs=0, reason="the converter has no int8 form for GELU"),
    trial(11, 10.1, 0.21, 0.19, round=0, epochs=2, reason="dropped: half of the round was better"),
)


def make_search(trials: tuple[TrialPart, ...] = TRIALS, **more: Any) -> SearchPart:
    """A search that came to the end of its three rounds."""
    given: dict[str, Any] = {
        "trials": trials,
        "rounds": (
            "12 recipes, 2 epochs each on 5,000 rows drawn evenly over groups: size and operators first",
            "6 recipes, 4 epochs on all rows",
            "6 recipes, 8 epochs; operators may be lifted to int16x8",
        ),
        "chosen_by": "people of the train split that no trial trained on, and the calibration split",
        "selection_rows": 14_210,
        "selection_subjects": 9,
        "evaluation_passes": 31,
        "complete": True,
        "keeps_rules": True,
    }
    return SearchPart(**given | more)


def make_searched(search: SearchPart | None = None, outcome: Outcome = Outcome.PASS) -> Evidence:
    """A run whose candidate a search gave."""
    evidence = make_evidence(outcome)
    found = {"search": search or make_search(), "steps": STEPS, "size_bytes": 15_872, "zipped_bytes": 12_107}
    return evidence.model_copy(update={"candidate": evidence.candidate.model_copy(update=found)})
