"""From a refusal to a release by commands alone: waive, cosign, release, approve, gate, verify, revoke."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from people_world import RULE
from small_world import CHEAP, PASSPHRASE, World, copy_trail

from audit_pipeline.cli.clock import now
from audit_pipeline.cli.main import main
from audit_pipeline.cli.next_steps import say_after_refusal
from audit_pipeline.cli.trail_place import DEFAULT_TRAIL
from audit_pipeline.seal.keys.forms import SignerPublic
from audit_pipeline.seal.keys.load import load_signer, load_signer_public, new_key
from audit_pipeline.seal.trust.changes import first_trust
from audit_pipeline.seal.trust.schema import RoleName
from audit_pipeline.ship import Shipped
from audit_pipeline.trust_log import begin, sign

LATER = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}"


class Office:
    """A folder with a trust file, the keys of people, and the refused run's trail."""

    def __init__(self, world: World, run: Shipped, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.world, self.run, self.folder, self.capsys = world, run, folder, capsys
        self.trail = copy_trail(run, folder)
        names = ("ann", "bob", "carl", "dora", "root")
        made = {name: new_key("ed25519", folder / name, PASSPHRASE, log2_n=CHEAP) for name in names}
        self.public = {name: load_signer_public(files.public) for name, files in made.items()}
        maker = {"maker": load_signer_public(world.signer_public)}
        roles: dict[RoleName, dict[str, SignerPublic]] = {"image": maker, "verdict": maker, "release": maker}
        roles["root"] = {"root": self.public["root"]}
        roles["waiver"] = {name: self.public[name] for name in ("ann", "bob")}
        approvers = {"clinical": {"carl": self.public["carl"]}, "privacy": {"dora": self.public["dora"]}}
        document = first_trust("office", "2099-01-01T00:00:00Z", roles, {}, approvers)
        begin(folder / "trust.yaml", document, trail=self.trail, at=now())
        sign(folder / "trust.yaml", load_signer(folder / "root.key.pem", PASSPHRASE), trail=self.trail, at=now())

    def do(self, *arguments: str, trusting: bool = True) -> tuple[int, dict[str, Any]]:
        trust = ("--trust", str(self.folder / "trust.yaml"), "--root", str(self.folder / "root.pub.pem"))
        with pytest.raises(SystemExit) as caught:
            main([*arguments, *(trust if trusting else ()), "--trail", self.trail, "--json"])
        assert isinstance(caught.value.code, int)
        return caught.value.code, json.loads(self.capsys.readouterr().out)

    def key(self, name: str) -> tuple[str, str]:
        return "--key", str(self.folder / f"{name}.key.pem")


@pytest.fixture
def office(
    world: World,
    too_hard: Shipped,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Office:
    monkeypatch.setenv("AUDIT_PASSPHRASE", os.fsdecode(PASSPHRASE))
    return Office(world, too_hard, tmp_path, capsys)


def test_whoever_is_refused_is_told_how_people_can_answer_for_it(
    too_hard: Shipped, sealed: Shipped, capsys: pytest.CaptureFixture[str]
) -> None:
    say_after_refusal(too_hard.evidence, too_hard.folder, DEFAULT_TRAIL)
    told = capsys.readouterr().err
    assert "two people can allow what failed for a time" in told
    assert f"audit waive {too_hard.folder} --rule RULE --group GROUP --limit LIMIT" in told
    assert "--key KEY --trust FILE --root KEY" in told
    say_after_refusal(sealed.evidence, sealed.folder, DEFAULT_TRAIL)
    blobs = (finding.model_copy(update={"stage": "privacy"}) for finding in too_hard.evidence.findings)
    never = too_hard.evidence.model_copy(update={"findings": tuple(blobs)})
    say_after_refusal(never, too_hard.folder, DEFAULT_TRAIL)
    assert capsys.readouterr().err == ""


def test_a_reviewer_takes_a_refusal_to_a_release_and_withdraws_it(office: Office) -> None:
    refused = str(office.run.folder)
    policy, reports = str(office.world.folder / "too-hard.yaml"), str(office.folder / "reports")
    asked = ("release", refused, "--run", "released", "--policy", policy, "--reports", reports)
    assert office.do("gate", refused)[0] == 1
    code, result = office.do(*asked)
    assert (code, result["error"]["code"]) == (1, "release.not-enough")

    terms = ("--rule", RULE, "--group", "overall", "--limit", "0.5", "--reason", "a new sensor comes")
    code, result = office.do("waive", refused, *terms, "--expires", LATER, *office.key("ann"))
    assert code == 0
    digest = result["waivers"][0]["sha256"]
    code, result = office.do(*asked)
    assert (code, result["error"]["code"]) == (1, "release.not-enough")
    assert office.do("waive", refused, "--cosign", digest[:16], *office.key("ann"))[0] == 2
    assert office.do("waive", refused, "--cosign", digest[:16], *office.key("bob"))[0] == 0

    code, result = office.do(*asked)
    assert (code, result["verdict"]["outcome"]) == (0, "PASS")
    assert result["approvals_demanded"] == {"clinical": 1, "privacy": 1}
    released = result["folder"]
    code, result = office.do("gate", released)
    assert (code, result["error"]["code"]) == (1, "gate.unapproved")
    assert "audit approve" in result["error"]["hint"]
    for name, role in (("carl", "clinical"), ("dora", "privacy")):
        approving = ("approve", released, "--role", role, "--reason", "I have read the report")
        assert office.do(*approving, *office.key(name))[0] == 0
    code, result = office.do("gate", released)
    assert (code, result["released"], result["warnings"]) == (0, True, [])
    assert any("--witness" in line for line in result["not_demanded"])

    image = str(Path(released) / "firmware.bin")
    code, result = office.do("verify", image)
    assert (code, result["shows_the_verdict"]) == (0, True)
    for path in Path(released).glob("waiver-*"):
        path.rename(office.folder / "elsewhere.json")
    assert office.do("verify", image)[0] == 0, "the trail has it"

    assert office.do("revoke", "released", "--reason", "it missed an alarm", *office.key("ann"), trusting=False)[0] == 0
    code, result = office.do("verify", image)
    assert (code, result["error"]["code"]) == (1, "revocation.withdrawn")
    (office.folder / "elsewhere.json").rename(Path(released) / f"waiver-{digest[:16]}.dsse.json")
    code, result = office.do("gate", released)
    assert (code, result["error"]["code"]) == (1, "gate.revoked")
