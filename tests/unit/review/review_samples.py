"""A release and a refusal in their folders and in one trail, with the people who may decide about them.

Nothing is trained or measured: the numbers are made up, everything that is signed and logged is real.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit_pipeline import entries, run_folder
from audit_pipeline.canonical import sha256_hex
from audit_pipeline.conclude import conclude
from audit_pipeline.decide import decide
from audit_pipeline.device import footprint as device
from audit_pipeline.evaluate.judge import adjust
from audit_pipeline.evidence import (
    CandidatePart,
    DataPart,
    Evidence,
    Footprint,
    KernelCheck,
    Run,
    SourcePart,
    TrailPart,
)
from audit_pipeline.findings import Breach, Finding, GroupRow
from audit_pipeline.journal import Journal
from audit_pipeline.measurement import GroupKey, Interval, Measured, Outcome
from audit_pipeline.policy.load import LoadedPolicy, load_policy
from audit_pipeline.policy.schema import Policy
from audit_pipeline.policy_part import PolicyPart
from audit_pipeline.privacy.judge import judge
from audit_pipeline.privacy_part import BlobHit, BlobScan
from audit_pipeline.seal.keys.forms import fingerprint
from audit_pipeline.seal.keys.load import load_signer, load_signer_public, new_key
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.trust.changes import first_trust
from audit_pipeline.seal.trust.schema import Log
from audit_pipeline.seal_keys import open_keys
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
seal: {{signer: maker.key.pem, recipient: device.pub.pem, security_counter: 3, version: 1.4.0}}
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
    new_key("x25519", folder / "device", PASSPHRASE, log2_n=CHEAP)
    policy = folder / "policy.yaml"
    policy.write_text(POLICY.format(author=ward.print_of("author")))
    with Trail.open(ward.trail) as trail:
        enter_run(ward, trail, RELEASED, released_findings(), hits=0)
        enter_run(ward, trail, REFUSED, refused_findings(), hits=1)
    make_trust(ward)
    return ward


def make_trust(ward: Ward, name: str = "small", log: Log | None = None) -> None:
    public = {person: load_signer_public(ward.folder / f"{person}.pub.pem") for person in PEOPLE}
    maker = {"maker": public["maker"]}
    document = first_trust(
        name,
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
        log,
    )
    begin(ward.folder / "trust.yaml", document, trail=str(ward.trail), at=NOW)
    sign(ward.folder / "trust.yaml", ward.signer("root"), trail=str(ward.trail), at=NOW)


def enter_run(ward: Ward, trail: Trail, name: str, findings: tuple[Finding, ...], hits: int) -> None:
    """A run as `ship` leaves it: its entries, and its folder."""
    policy = load_policy(ward.folder / "policy.yaml")
    document = policy.value.model_dump(mode="json", by_alias=True, exclude_none=True)
    part = PolicyPart(name="small", file="policy.yaml", sha256=policy.sha256, document=document)
    evidence = _evidence(name, part, findings, hits, policy)
    with Journal(trail, name, lambda: NOW) as journal:
        registered, part = journal.begin(part, evidence.source.sha256)
        evidence = evidence.model_copy(update={"policy": part})
        said = evidence.to_json()
        journal.enter("data", entries.data_entry(said["data"]))
        journal.enter("model", entries.model_entry(said["source"], None))
        journal.enter("candidate", entries.candidate_entry(said["candidate"]))
        head = journal.enter("findings", entries.findings_entry(said["findings"], said["verdict"])).head
        position = TrailPart(policy_index=registered.entry.index, size=head.size, root=head.root)
        evidence = evidence.model_copy(update={"trail": position})
        files = {run_folder.POLICY: policy.raw, run_folder.MODEL: MODEL, run_folder.PREDICTIONS: b"scores"}
        ward.run(name).parent.mkdir(exist_ok=True)
        conclude(evidence, files, open_keys(policy, lambda _: PASSPHRASE), journal, ward.run(name))


FEMALE, MALE = (GroupKey(by=("sex",), values=(sex,)) for sex in ("female", "male"))
GROUPS = (GroupKey(), FEMALE, MALE)


def finding(
    rule: str,
    group: GroupKey,
    estimate: float,
    outcome: Outcome,
    *,
    p: float | None = 0.5,
    rows: int = 500,
    **more: Any,
) -> Finding:
    """A made-up number with an interval of 0.02 to either side; without a p-value there was nothing to test."""
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
        "breach": None if p is None else Breach(p=p, adjusted_p=1.0, family=1, level=0.5),
    }
    return Finding.model_validate(values | more)


def released_findings() -> tuple[Finding, ...]:
    return (
        *(finding("fairness[0]", group, 0.01, Outcome.PASS) for group in GROUPS),
        finding("fairness[1]", GroupKey(), 0.95, Outcome.PASS, limit=0.9, limit_kind="at_least"),
    )


def refused_findings() -> tuple[Finding, ...]:
    """One group that is served worse, one of which too little is known, and a limit from below."""
    return (
        finding("fairness[0]", GroupKey(), 0.01, Outcome.PASS),
        finding("fairness[0]", FEMALE, 0.08, Outcome.FAIL, p=1e-6),
        finding("fairness[0]", MALE, 0.08, Outcome.INCONCLUSIVE, p=None, rows=5),
        finding("fairness[1]", GroupKey(), 0.85, Outcome.FAIL, p=1e-6, limit=0.9, limit_kind="at_least"),
    )


def _tested(findings: tuple[Finding, ...], policy: Policy) -> tuple[Finding, ...]:
    """The same, their tests adjusted for one another."""
    tests = adjust([each.breach.p if each.breach else None for each in findings], policy.statistics.confidence)
    return tuple(each.model_copy(update={"breach": test}) for each, test in zip(findings, tests, strict=True))


def _evidence(name: str, part: PolicyPart, fairness: tuple[Finding, ...], hits: int, policy: LoadedPolicy) -> Evidence:
    digest, board = "c" * 64, policy.board
    footprint = Footprint(
        board=board.name,
        board_source=board.source,
        flash_bytes=len(MODEL),
        flash_limit=board.flash_kib << 10,
        arena_bytes=1,
        arena_limit=board.ram_kib << 10,
        macs=1,
        operators=(),
        fits=True,
    )
    found = tuple(BlobHit(kind="path", offset=place, detail="a home folder") for place in range(hits))
    scan = BlobScan(scanned_bytes=len(MODEL), training_rows=1, encodings=("float32",), hits=found)
    privacy = judge(policy.value.privacy_rules, (), scan)
    findings = (*device.findings(footprint), *_tested(fairness, policy.value), *privacy)
    return Evidence(
        run=Run(id=name, command="ship", created=NOW, tool="audit", libraries={}, seed=0),
        policy=part,
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
        footprint=footprint,
        kernels=KernelCheck(
            authority="tflite-micro",
            used="tflite-micro",
            sample_rows=1,
            differing_rows=0,
            largest_step=0,
            note="made up",
        ),
        groups=tuple(GroupRow(group=group, rows=500, subjects=40, metrics=()) for group in GROUPS),
        membership=(),
        blob_scan=scan,
        findings=findings,
        verdict=decide(findings, policy.value),
    )
