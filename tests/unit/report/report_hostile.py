"""Names that would break a page, a table or a terminal that trusts them, and a run that is full of them."""

from __future__ import annotations

from report_sample import METRICS, make_evidence

from audit_pipeline.evidence import Evidence
from audit_pipeline.measurement import GroupKey, MetricKey
from audit_pipeline.policy_part import PolicyChange, PolicyEdit
from audit_pipeline.waiver_part import WaiverPart

HOSTILE = (
    "<script>alert(1)</script>",
    "</style></svg><img src=x onerror=alert(1)>",
    "a|b`c`|d",
    "line one\n\n# line two",
    "[bold red]not red[/]",
    "\x1b[31mred\x1b[0m",
    "\u202egpj.exe",
    "😀👩\u200d👩\u200d👧",
    "x" * 200,
    "漢字" * 60,
    "{{ 7 * 7 }}{% raw %}",
    "$HOME `id` 'quote' \"double\"",
    "https://evil.example/x",
    "&amp;<b>",
    "\u0000\ufffe",
    "start" + "\n<b>🙂</b>|" * 1_000 + "end",
    "e" + "\u0301" * 10_000,
)


def hostile_evidence() -> Evidence:
    """A run whose groups, classes, names and reasons are out to break the report."""
    groups = (GroupKey(), *(GroupKey(by=("sex",), values=(value,)) for value in HOSTILE))
    metrics = (METRICS[0], MetricKey(name="recall", class_=HOSTILE[0], higher_is_better=True))
    evidence = make_evidence(groups=groups, metrics=metrics, ruled=metrics[1:])
    document = {
        **evidence.policy.document,
        "fairness": [{"metric": "recall", "class": HOSTILE[0], "max_drop": 0.02, "groups": ["sex"]}],
    }
    return evidence.model_copy(
        update={
            "policy": evidence.policy.model_copy(
                update={"document": document, "name": HOSTILE[1], "changed": _hostile_change()}
            ),
            "waivers": (_hostile_waiver(),),
            "run": evidence.run.model_copy(update={"id": "$(reboot); rm -rf '/'\n```"}),
            "data": evidence.data.model_copy(
                update={"name": HOSTILE[2], "description": HOSTILE[3], "lawful_basis": HOSTILE[15]}
            ),
        }
    )


def _hostile_change() -> PolicyChange:
    rule = f"fairness.recall[{HOSTILE[0]}].max_drop"
    edits = [PolicyEdit(path=rule, groups=HOSTILE, before=0.02, after=0.5, effect="loosened")]
    edits += [
        PolicyEdit(path=f"{section}{name}", before=name, after=[{name: name}], effect="other")
        for section in ("approvals.", "human_centred.", "compress.", "")
        for name in HOSTILE
    ]
    return PolicyChange(run=HOSTILE[4], name=HOSTILE[5], sha256="0" * 64, outcome="FAIL", edits=tuple(edits))


def _hostile_waiver() -> WaiverPart:
    return WaiverPart(
        sha256="1" * 64,
        rule=HOSTILE[2],
        group=HOSTILE[1],
        limit=0.5,
        reason=HOSTILE[15],
        issued=HOSTILE[5],
        expires=HOSTILE[6],
        approvers=("2" * 64, "3" * 64),
    )
