"""From a FAIL to a release, an incident and its withdrawal, each step by the command that the one before printed."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from people_world import ENDS, RULE, SOON, THEN
from small_world import PASSPHRASE, World, copy_trail

from audit_pipeline.cli import approve, gate, incident, release, revoke, waive
from audit_pipeline.cli.main import main
from audit_pipeline.seal.keys.load import load_signer, load_signer_public, new_key
from audit_pipeline.seal.trust.changes import first_trust
from audit_pipeline.ship import Shipped
from audit_pipeline.trust_log import begin, sign

PEOPLE = ("root", "ann", "bob", "carl", "dora")


class Desk:
    """The commands, with everybody's keys and a trust file."""

    def __init__(self, world: World, run: Shipped, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.world, self.run, self.folder, self.capsys = world, run, folder, capsys
        self.trail = copy_trail(run, folder)
        for person in PEOPLE:
            new_key("ed25519", folder / person, PASSPHRASE, log2_n=14)
        public = {person: load_signer_public(folder / f"{person}.pub.pem") for person in PEOPLE}
        maker = {"maker": load_signer_public(world.signer_public)}
        roles: dict[Any, Any] = {"root": {"root": public["root"]}, "image": maker, "verdict": maker, "release": maker}
        roles["waiver"] = {person: public[person] for person in ("ann", "bob")}
        approvers = {"clinical": {"carl": public["carl"]}, "privacy": {"dora": public["dora"]}}
        document = first_trust("small", "2099-01-01T00:00:00Z", roles, {}, approvers)
        begin(folder / "trust.yaml", document, trail=self.trail, at=SOON)
        root = load_signer(folder / "root.key.pem", PASSPHRASE)
        sign(folder / "trust.yaml", root, trail=self.trail, at=SOON)

    def ask(self, *words: str, code: int = 0) -> dict[str, Any]:
        with pytest.raises(SystemExit) as caught:
            main([*words, "--json"])
        said = self.capsys.readouterr()
        assert caught.value.code == code, said.out + said.err
        found: dict[str, Any] = json.loads(said.out)
        return found

    def follow(self, step: str, code: int = 0, **filled: str) -> dict[str, Any]:
        """Type what a command printed, with its blanks filled in."""
        words = [filled.get({"…": "reason"}.get(word, word), word) for word in shlex.split(step)]
        assert words.pop(0) == "audit"
        return self.ask(*words, code=code)

    def key(self, person: str) -> str:
        return str(self.folder / f"{person}.key.pem")


@pytest.fixture
def desk(
    world: World,
    too_hard: Shipped,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Desk:
    monkeypatch.setenv("AUDIT_PASSPHRASE", PASSPHRASE.decode())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(waive, "now", lambda: SOON)
    for module in (approve, gate, incident, release, revoke):
        monkeypatch.setattr(module, "now", lambda: THEN)
    return Desk(world, too_hard, tmp_path, capsys)


def test_every_step_leads_to_the_next(desk: Desk) -> None:
    believe = ("--trust", "trust.yaml", "--root", "root.pub.pem", "--trail", desk.trail)
    terms = ("--rule", RULE, "--group", "overall", "--limit", "0.5", "--reason", "a sensor", "--expires", ENDS)
    waived = desk.ask("waive", str(desk.run.folder), *terms, "--key", desk.key("ann"), *believe)
    (step,) = waived["next"]
    (step,) = desk.follow(step, KEY=desk.key("bob"))["next"]
    desk.follow(step, POLICY=str(desk.world.folder / "too-hard.yaml"), NEW="released")
    folder = Path("reports") / "released"
    assert desk.ask("gate", str(folder), *believe, code=1)["error"]["code"] == "gate.unapproved"
    words = ("approve", str(folder), "--role", "clinical", "--reason", "read it", "--key", desk.key("carl"), *believe)
    (step,) = desk.ask(*words)["next"]
    (step,) = desk.follow(step, KEY=desk.key("dora"), reason="read it too")["next"]
    assert desk.follow(step)["released"]
    report = ("--kind", "missed-alarm", "--group", "sex=female", "--reason", "fell", "--trail", desk.trail)
    step, _ = desk.ask("incident", str(folder), *report)["next"]
    assert desk.follow(step, KEY=desk.key("bob"), reason="too many missed")["run"] == "released"
    assert desk.ask("gate", str(folder), *believe, code=1)["error"]["code"] == "gate.revoked"
