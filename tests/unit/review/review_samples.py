"""A release and a refusal in their folders and in one trail, with the people who may decide about them.

Nothing is trained or measured: the numbers are made up, everything that is signed and logged is real.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit_pipeline import entries, run_folder
from audit_pipeline.attestations import verdict_payload
from audit_pipeline.canonical import sha256_hex
from audit_pipeline.decide import decide
from audit_pipeline.evidence import (
    CandidatePart,
    DataPart,
    Evidence,
    Footprint,
    Run,
    SourcePart,
    TrailPart,
    Verdict,
)
from audit_pipeline.findings import Breach, Finding, GroupRow
from audit_pipeline.measurement import GroupKey, Interval, Measured, Outcome
from audit_pipeline.policy.load import load_policy
from audit_pipeline.policy_part import PolicyPart
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.forms import fingerprint
from audit_pipeline.seal.keys.load import load_signer, load_signer_public, new_key
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.trust.changes import first_trust
from audit_pipeline.seal_part import SealPart
from audit_pipeline.trail.log import Trail
from audit_pipeline.trust_log import begin, sign

NOW = "2026-05-04T12:00:00Z"
PASSPHRASE = b"correct horse"
CHEAP = 14
PEOPLE = ("root", "maker", "author", "doctor", "nurse", "guardian", "counsel", "stranger")
RELEASED, REFUSED = "2026-05-04-released", "2026-05-04-refused"
MODEL = b"a model that nobody runs"

POLICY = """\
version: 1
name: small
human_centred:
  intended_use: "a test"
  affected: ["nobody"]
  worst_error: {{class: alarm, kind: missed, harms: "nobody"}}
  responsible: {{false_alarm: "the operator", missed_alarm: "the maker"}}
  oversight: {{who_can_stop: "the ward's nurse", how_to_appeal: "open an issue"}}
  never_record: ["names"]
  author: {{role: "head of safety", key: {author}}}
data: {{manifest: dataset.yaml}}
target: {{board: nucleo-l4r5zi}}
compress: {{recipe: [{{quantize: {{scheme: int8}}}}]}}
fairness:
  - {{metric: recall, class: alarm, max_drop: 0.05, groups: [overall, sex]}}
  - {{metric: accuracy, min: 0.9}}
privacy:
  - {{attack: blob_scan}}
approvals: {{clinical-safety: 2, data-protection: 1}}
"""


@dataclass(frozen=True)
class Ward:
    """Where everything lies."""

    folder: Path

    @property
    def trail(self) -> Path:
        return self.folder / "audit.db"

    def run(self, name: str) -> Path:
        return self.folder / "reports" / name

    def key(self, person: str) -> str:
        return str(self.folder / f"{person}.key.pem")

    def signer(self, person: str) -> Signer:
        return load_signer(self.folder / f"{person}.key.pem", PASSPHRASE)

    def print_of(self, person: str) -> str:
        return fingerprint(load_signer_public(self.folder / f"{person}.pub.pem"))

    def believe(self) -> tuple[str, ...]:
        return ("--trust", str(self.folder / "trust.yaml"), "--root", str(self.folder / "root.pub.pem"))

    def bytes_of_trail(self) -> bytes:
        """Everything that lies beside the database, in one."""
        return b"".join(path.read_bytes() for path in sorted(self.folder.glob("audit.db*")) if path.is_file())


def make_ward(folder: Path) -> Ward:
    ward = Ward(folder)
    for person in PEOPLE:
        new_key("p256" if person == "doctor" else "ed25519", folder / person, PASSPHRASE, log2_n=CHEAP)
    policy = folder / "policy.yaml"
    policy.write_text(POLICY.format(author=ward.print_of("author")))
    with Trail.open(ward.trail) as trail:
        enter_run(ward, trail, RELEASED, released_findings())
        enter_run(ward, trail, REFUSED, refused_findings())
    make_trust(ward)
    return ward


def make_trust(ward: Ward) -> None:
    public = {person: load_signer_public(ward.folder / f"{person}.pub.pem") for person in PEOPLE}
    maker = {"maker": public["maker"]}
    document = first_trust(
        "small",
        "2099-01-01T00:00:00Z",
        {
            "root": {"root": public["root"]},
            "image": maker,
            "verdict": maker,
            "release": maker,
            "waiver": {person: public[person] for person in ("doctor", "guardian", "counsel", "author")},
        },
        {},
        {
            "clinical-safety": {person: public[person] for person in ("doctor", "nurse", "author")},
            "data-protection": {"guardian": public["guardian"]},
        },
    )
    begin(ward.folder / "trust.yaml", document, trail=str(ward.trail), at=NOW)
    sign(ward.folder / "trust.yaml", ward.signer("root"), trail=str(ward.trail), at=NOW)


def enter_run(ward: Ward, trail: Trail, name: str, findings: tuple[Finding, ...]) -> None:
    """A run as `ship` leaves it: its entries, and its folder."""
    policy = load_policy(ward.folder / "policy.yaml")
    document = policy.value.model_dump(mode="json", by_alias=True, exclude_none=True)
    part = PolicyPart(name="small", file="policy.yaml", sha256=policy.sha256, document=document)
    evidence = _evidence(name, part, findings, decide(findings, policy.value))
    said = evidence.to_json()
    first = trail.append("policy", name, NOW, entries.policy_entry(said["policy"]))
    trail.append("data", name, NOW, entries.data_entry(said["data"]))
    trail.append("model", name, NOW, entries.model_entry(said["source"], None))
    trail.append("candidate", name, NOW, entries.candidate_entry(said["candidate"]))
    head = trail.append("findings", name, NOW, entries.findings_entry(said["findings"], said["verdict"])).head
    position = TrailPart(policy_index=first.entry.index, size=head.size, root=head.root)
    evidence = evidence.model_copy(update={"trail": position})
    payload = verdict_payload(evidence.to_json())
    files = {
        run_folder.POLICY: policy.raw,
        run_folder.MODEL: MODEL,
        run_folder.VERDICT: dsse.sign(payload, [ward.signer("maker")]),
    }
    if evidence.verdict.outcome is Outcome.PASS:
        trail.append("verdict", name, NOW, entries.verdict_entry(evidence.to_json(), files))
        evidence = evidence.model_copy(update={"seal": _seal(sha256_hex(payload))})
        trail.append("seal", name, NOW, entries.seal_entry(evidence.to_json()["seal"], b"release"))
        files |= {run_folder.IMAGE: b"image", run_folder.RELEASE: b"release", run_folder.SUMMARY: b"summary"}
    files |= {run_folder.EVIDENCE: evidence.canonical(), run_folder.HTML: b"page", run_folder.MARKDOWN: b"page"}
    if evidence.seal is None:
        trail.append("verdict", name, NOW, entries.verdict_entry(evidence.to_json(), files))
    write(ward.run(name), files)


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


FEMALE, MALE = (GroupKey(by=("sex",), values=(sex,)) for sex in ("female", "male"))


def finding(rule: str, group: GroupKey, estimate: float, outcome: Outcome, rows: int = 500, **more: Any) -> Finding:
    interval = Interval(low=estimate - 0.02, high=estimate + 0.02, level=0.95, method="made up")
    values: dict[str, Any] = {
        "id": f"{rule}/{group.label}",
        "stage": "fairness",
        "rule": rule,
        "claim": f"{group.label}: recall of alarm falls by at most 0.05",
        "group": group,
        "value": Measured(estimate=estimate, interval=interval, rows=rows, subjects=40),
        "limit": 0.05,
        "limit_kind": "at_most",
        "outcome": outcome,
        "reason": f"fell by {estimate:g}",
        "breach": Breach(p=0.5, adjusted_p=1.0, family=4, level=0.025),
    }
    return Finding.model_validate(values | more)


def _others(outcome: Outcome = Outcome.PASS) -> tuple[Finding, ...]:
    accuracy = 0.95 if outcome is Outcome.PASS else 0.85
    hits = {"stage": "privacy", "limit": 0, "value": Measured(estimate=0 if outcome is Outcome.PASS else 1, rows=0)}
    return (
        finding("fairness[1]", GroupKey(), accuracy, outcome, limit=0.9, limit_kind="at_least"),
        finding("privacy[0]", GroupKey(), 0, outcome, **hits, breach=None),
    )


def released_findings() -> tuple[Finding, ...]:
    return (*(finding("fairness[0]", group, 0.01, Outcome.PASS) for group in (GroupKey(), FEMALE, MALE)), *_others())


def refused_findings() -> tuple[Finding, ...]:
    """One group that is served worse, one of which too little is known, a limit from below, and a find in the blob."""
    return (
        finding("fairness[0]", GroupKey(), 0.01, Outcome.PASS),
        finding("fairness[0]", FEMALE, 0.08, Outcome.FAIL),
        finding("fairness[0]", MALE, 0.08, Outcome.INCONCLUSIVE, rows=5),
        *_others(Outcome.FAIL),
    )


def _evidence(name: str, policy: PolicyPart, findings: tuple[Finding, ...], verdict: Verdict) -> Evidence:
    digest = "c" * 64
    return Evidence(
        run=Run(id=name, command="ship", created=NOW, tool="audit", libraries={}, seed=0),
        policy=policy,
        data=DataPart(
            name="made-up",
            description="nothing",
            source="nowhere",
            synthetic=True,
            sha256=digest,
            classes=("calm", "alarm"),
            alarm_classes=("alarm",),
            splits=(),
        ),
        source=SourcePart(
            file="m.h5",
            format="keras-h5",
            sha256=digest,
            size_bytes=1,
            parameters=1,
            input_shape=(1,),
            output_shape=(2,),
            layers=(),
        ),
        candidate=CandidatePart(sha256=sha256_hex(MODEL), size_bytes=len(MODEL), zipped_bytes=1, seed=0, steps=()),
        footprint=Footprint(
            board="nucleo-l4r5zi",
            board_source="nowhere",
            flash_bytes=1,
            flash_limit=2,
            arena_bytes=1,
            arena_limit=2,
            macs=1,
            operators=(),
            fits=True,
        ),
        kernels=None,
        groups=tuple(GroupRow(group=group, rows=500, subjects=40, metrics=()) for group in (GroupKey(), FEMALE, MALE)),
        membership=(),
        blob_scan=None,
        findings=findings,
        verdict=verdict,
    )


def _seal(verdict_sha256: str) -> SealPart:
    digest = "d" * 64
    return SealPart(
        image_sha256=digest,
        image_bytes=1,
        version="1.4.0",
        security_counter=7,
        signer=digest,
        recipient="e" * 64,
        verdict_sha256=verdict_sha256,
    )
