"""`audit keys trust|list|rotate|revoke`, and `--trust FILE --root KEY` where signatures are believed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from audit_pipeline.cli import clock, console, keys_list, keys_trust
from audit_pipeline.cli.main import main
from audit_pipeline.cli.trust_option import read_trust_options
from audit_pipeline.errors import AuditError, InputError
from audit_pipeline.seal.keys.forms import fingerprint
from audit_pipeline.seal.keys.load import load_signer_public, new_key
from audit_pipeline.trail.note_key import COSIGNATURE, NoteSigner

NAMES = ("root-1", "root-2", "release", "approver-1", "approver-2", "approver-3", "next")
PASSPHRASE = b"correct horse"
CHEAP = 14
NOW = "2026-05-04T12:00:00Z"
INIT = (
    *("keys", "trust", "init", "trust.yaml", "--name", "wearable", "--expires", "2027-05-04T00:00:00Z"),
    *("--root", "root-1.pub.pem", "--root", "root-2.pub.pem", "--image", "release.pub.pem"),
    *("--verdict", "release.pub.pem", "--release", "release.pub.pem"),
)
THREE_WAIVE = tuple(word for number in (1, 2, 3) for word in ("--waiver", f"approver-{number}.pub.pem"))
LIST = ("keys", "list", "--trust", "trust.yaml")
RENEW = ("keys", "trust", "renew", "trust.yaml", "--expires", "2028-05-04T00:00:00Z")
SIGN = ("keys", "trust", "sign", "trust.yaml", "--key")
REVOKE = ("keys", "revoke", "--trust", "trust.yaml", "--reason")
ROTATE = ("keys", "rotate", "--trust", "trust.yaml", "--reason", "stolen", "release", "--to")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("keys")
    for name in NAMES:
        new_key("p256" if name == "next" else "ed25519", made / name, PASSPHRASE, log2_n=CHEAP)
    new_key("x25519", made / "device", PASSPHRASE, log2_n=CHEAP)
    return made


def set_clock(monkeypatch: pytest.MonkeyPatch, now: str) -> None:
    for module in (keys_trust, keys_list):
        monkeypatch.setattr(module, "now", lambda: now)


@pytest.fixture
def at(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the keys in it, to work in."""
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
        (tmp_path / path.name).chmod(0o600)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUDIT_PASSPHRASE", PASSPHRASE.decode())
    set_clock(monkeypatch, NOW)
    return tmp_path


class Audit:
    """The command, in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def text(self, *arguments: str, code: int = 0) -> str:
        with pytest.raises(SystemExit) as caught:
            main(list(arguments))
        streams = self._capsys.readouterr()
        assert caught.value.code == code, streams.err
        assert "Traceback" not in streams.err
        return streams.out + streams.err

    def json(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text(*arguments, "--json", code=code))
        return found

    def error(self, *arguments: str, code: int = 2) -> str:
        return str(self.json(*arguments, code=code)["error"]["code"])


@pytest.fixture
def audit(capsys: pytest.CaptureFixture[str]) -> Audit:
    return Audit(capsys)


def sign(audit: Audit, number: int) -> dict[str, Any]:
    return audit.json("keys", "trust", "sign", "trust.yaml", "--key", f"root-{number}.key.pem")


def believe(*roots: str, trail: str | None = "audit.db") -> Any:
    paths = [Path(f"{root}.pub.pem") for root in roots]
    return read_trust_options(None, Path("trust.yaml"), paths, trail=trail, now=NOW)


def code_of(call: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(AuditError) as caught:
        call(*arguments, **named)
    return caught.value.code


def test_from_the_first_file_to_a_revoked_key(at: Path, audit: Audit) -> None:
    made = audit.json(*INIT)
    assert (made["serial"], made["signatures_needed"]) == (1, 2)
    assert code_of(believe, "root-1", "root-2") == "trust.unsigned"
    assert sign(audit, 1)["signed_by"] == ["root-1"]
    assert code_of(believe, "root-1", "root-2") == "trust.signature"
    assert sign(audit, 2)["signed_by"] == ["root-1", "root-2"]
    release = load_signer_public(at / "release.pub.pem")
    assert [fingerprint(key) for key in believe("root-1", "root-2").trust.image] == [fingerprint(release)]

    rotated = audit.json(
        "keys", "rotate", "release", "--to", "next.pub.pem", "--reason", "stolen", "--trust", "trust.yaml"
    )
    assert (rotated["serial"], rotated["entry"]) == (2, 3)
    sign(audit, 1)
    sign(audit, 2)
    successor = load_signer_public(at / "next.pub.pem")
    assert [fingerprint(key) for key in believe("root-1", "root-2").trust.image] == [fingerprint(successor)]
    entries = audit.json("log", "list", "--run", "keys:wearable")["entries"]
    assert [entry["body"]["action"] for entry in entries] == ["init", "sign", "sign", "rotate", "sign", "sign"]
    assert audit.json("log", "verify")["verified"]


def test_an_old_trust_file_is_refused_with_a_trail_and_passes_without_one(at: Path, audit: Audit) -> None:
    audit.json(*INIT)
    sign(audit, 1)
    sign(audit, 2)
    old = {name: Path(name).read_bytes() for name in ("trust.yaml", "trust.dsse.json")}
    audit.json("keys", "rotate", "release", "--to", "next.pub.pem", "--reason", "stolen", "--trust", "trust.yaml")
    for name, content in old.items():
        Path(name).write_bytes(content)
    assert code_of(believe, "root-1", "root-2") == "trust.rolled-back"
    (check,) = believe("root-1", "root-2", trail=None).checks
    assert check.state == "not-checked"
    assert "no --trail" in check.what


def test_the_list_shows_names_kinds_roles_fingerprints_and_states(at: Path, audit: Audit) -> None:
    audit.json(*INIT, "--waiver", "approver-1.pub.pem", "--waiver", "approver-2.pub.pem")
    sign(audit, 2)
    audit.json(
        *("keys", "rotate", "release", "--to", "next.pub.pem", "--reason", "yearly", "--trust", "trust.yaml"),
        *("--keep-until", "2026-08-01T00:00:00Z", "--name", "release-2"),
    )
    sign(audit, 2)
    listed = audit.json("keys", "list", "--trust", "trust.yaml")
    states = {row["name"]: (row["kind"], row["state"], row["roles"]) for row in listed["keys"]}
    assert states["release"] == ("ed25519", "until 2026-08-01T00:00:00Z", ["image", "verdict", "release"])
    assert states["release-2"] == ("p256", "active", ["image", "verdict", "release"])
    assert states["approver-1"] == ("ed25519", "active", ["waiver"])
    assert (listed["signed_by"], listed["thresholds"]["waiver"]) == (["root-2"], 2)
    text = audit.text("keys", "list", "--trust", "trust.yaml")
    for row in listed["keys"]:
        assert row["fingerprint"] in text
    assert "signed by root-2" in text


def test_a_revoked_key_is_listed_with_its_reason(at: Path, audit: Audit) -> None:
    audit.json(*INIT, "--threshold", "root=1")
    audit.json("keys", "revoke", "root-2", "--reason", "token [bold]lost[/]", "--trust", "trust.yaml")
    assert f"revoked root-2 {NOW}: token [bold]lost[/]" in audit.text(*LIST)
    rows = {row["name"]: row["revoked"] for row in audit.json(*LIST)["keys"]}
    assert (rows["root-1"], rows["root-2"]) == (None, {"at": NOW, "reason": "token [bold]lost[/]"})


def test_a_narrow_list_cuts_fingerprints_and_breaks_none(
    at: Path, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit.json(*INIT)
    whole = {row["name"]: row["fingerprint"] for row in audit.json(*LIST)["keys"]}
    monkeypatch.setattr(console, "_PIPE_COLUMNS", 60)
    text = audit.text(*LIST)
    for name, print_ in whole.items():
        assert f"{name}  ed25519  active\n" in text
        assert f"  {print_[:16]}…\n" in text
        assert print_[:17] not in text


def test_a_new_folder_is_pointed_to_init(at: Path, audit: Audit) -> None:
    for arguments in (
        LIST,
        (*ROTATE, "next.pub.pem"),
        (*REVOKE, "stolen", "release"),
        (*SIGN, "root-1.key.pem"),
        RENEW,
    ):
        error = audit.json(*arguments, code=2)["error"]
        assert (error["code"], "audit keys trust init" in error["hint"]) == ("trust.not-found", True)


def test_those_who_maintain_a_file_are_told_of_its_last_day(
    at: Path, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit.json(*INIT)
    assert audit.json(*LIST)["warning"] is None
    set_clock(monkeypatch, "2027-04-10T00:00:00Z")
    assert "expires on 2027-05-04T00:00:00Z, in less than 25 days" in audit.text(*LIST)
    set_clock(monkeypatch, "2027-05-04T00:00:00Z")
    said = "expired on 2027-05-04T00:00:00Z: nobody believes it (audit keys trust renew trust.yaml --expires …)"
    assert said in audit.text(*LIST)
    for arguments in ((*SIGN, "root-1.key.pem"), (*ROTATE, "next.pub.pem")):
        assert said in audit.text(*arguments)


def test_a_renewed_file_is_believed_again_once_it_is_signed(
    at: Path, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit.json(*INIT)
    sign(audit, 1)
    sign(audit, 2)
    set_clock(monkeypatch, "2027-06-01T00:00:00Z")
    renewed = audit.json(*RENEW)
    assert (renewed["serial"], renewed["next"]) == (2, [])
    assert not Path("trust.dsse.json").exists()
    sign(audit, 1)
    sign(audit, 2)
    listed = audit.json(*LIST)
    assert (listed["expires"], listed["warning"]) == ("2028-05-04T00:00:00Z", None)
    entry = audit.json("log", "list", "--run", "keys:wearable")["entries"][3]["body"]
    assert (entry["action"], entry["expires"], entry["expires_before"]) == (
        "renew",
        "2028-05-04T00:00:00Z",
        "2027-05-04T00:00:00Z",
    )


def test_what_follows_a_stolen_key_is_said(at: Path, audit: Audit) -> None:
    audit.json(*INIT)
    text = audit.text(*ROTATE, "next.pub.pem")
    for words in (
        "nobody has signed it yet: 2 of root-1, root-2",
        "seal.signer of every policy that names the key release: name next instead",
        "what the key release signed: release it again with `audit ship`, now",
        "audit keys export next.pub.pem --as mcuboot-c",
    ):
        assert words in text


def test_what_follows_depends_on_the_roles_that_a_key_had(at: Path, audit: Audit) -> None:
    audit.json(*INIT, *THREE_WAIVE, "--threshold", "root=1")
    (waiver,) = audit.json(*REVOKE, "left", "approver-1")["next"]
    assert waiver.startswith("waivers that the key approver-1 signed")
    (root,) = audit.json(*REVOKE, "lost", "root-2")["next"]
    assert root.startswith("everybody who pins the key root-2 with --root")


def test_earlier_signatures_over_other_bytes_are_dropped_and_said_to_be(at: Path, audit: Audit) -> None:
    audit.json(*INIT)
    sign(audit, 1)
    path = Path("trust.yaml")
    path.write_text(path.read_text().replace("serial: 1", "serial: 2"))
    text = audit.text("keys", "trust", "sign", "trust.yaml", "--key", "root-2.key.pem")
    assert "dropped 1 earlier signatures" in text
    assert "1 of 2 needed: root-2" in text


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((*SIGN, "release.key.pem"), "trust.not-a-root"),
        ((*SIGN, "root-1.pub.pem"), "keys.public-where-private"),
        ((*SIGN, "device.key.pem"), "keys.wrong-kind"),
        (("keys", "trust", "sign", "none.yaml", "--key", "root-1.key.pem"), "trust.not-found"),
        ((*REVOKE, "stolen", "relase"), "trust.unknown-name"),
        ((*REVOKE, "stolen", "release"), "trust.threshold"),
        ((*REVOKE, "two\nlines", "approver-1"), "trust.invalid"),
        ((*ROTATE, "device.pub.pem"), "keys.wrong-kind"),
        ((*ROTATE, "next.key.pem"), "keys.private-where-public"),
        ((*ROTATE, "release.pub.pem"), "trust.name-taken"),
        ((*ROTATE, "release.pub.pem", "--name", "other"), "trust.one-key-twice"),
        ((*ROTATE, "next.pub.pem", "--keep-until", "2026-08-01"), "trust.moment"),
        ((*ROTATE, "next.pub.pem", "--keep-until", "2026-01-01T00:00:00Z"), "trust.moment"),
        (INIT, "trust.exists"),
        ((*RENEW[:-1], "2026-01-01T00:00:00Z"), "trust.moment"),
        ((*RENEW[:-1], "2027-05-04T00:00:00Z"), "trust.moment"),
        ((*RENEW[:-1], "2028-05-04"), "trust.moment"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(
    arguments: tuple[str, ...], code: str, at: Path, audit: Audit
) -> None:
    audit.json(*INIT, *THREE_WAIVE)
    before = {path.name: path.read_bytes() for path in at.iterdir() if "audit.db" not in path.name}
    assert audit.error(*arguments) == code
    assert {path.name: path.read_bytes() for path in at.iterdir() if "audit.db" not in path.name} == before
    assert audit.json("log", "list")["size"] == 1


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--threshold", "root=3"), "trust.threshold"),
        (("--threshold", "rot=1"), "trust.threshold"),
        (("--threshold", "image=x"), "trust.threshold"),
        (("--threshold", "image=0"), "trust.invalid"),
        (("--waiver", "approver-1.pub.pem"), "trust.threshold"),
        (("--verdict", "release.pub.pem"), "trust.name-taken"),
        (("--image", "device.pub.pem"), "keys.wrong-kind"),
        (("--name", "../x"), "trust.invalid"),
        (("--expires", "2026-05-04T12:00:00Z"), "trust.moment"),
        (("--expires", "2027-05-04T00:00:00"), "trust.moment"),
        (("--expires", "2027-05-04T00:00:00+02:00"), "trust.invalid"),
    ],
)
def test_a_first_file_that_could_not_be_believed_is_not_written(
    more: tuple[str, ...], code: str, at: Path, audit: Audit
) -> None:
    assert audit.error(*INIT, *more) == code
    assert not Path("trust.yaml").exists()
    assert not Path("audit.db").exists()


def test_a_trust_file_without_a_folder_is_the_callers_to_mend(at: Path, audit: Audit) -> None:
    arguments = ("signing/trust.yaml" if word == "trust.yaml" else word for word in INIT)
    assert audit.error(*arguments) == "trust.no-folder"


def test_a_pin_in_a_uri_is_refused_and_in_no_message(at: Path, audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    audit.json(*INIT)
    monkeypatch.delenv("AUDIT_PASSPHRASE")
    text = audit.text(*SIGN, "pkcs11:token=audit;object=root?module-path=/lib/p11.so&pin-value=271828", code=2)
    assert "signer.uri-pin" in text
    assert "271828" not in text


def test_one_key_in_two_files_is_one_key(at: Path, audit: Audit) -> None:
    Path("root-3.pub.pem").write_bytes(Path("root-1.pub.pem").read_bytes())
    assert audit.error(*INIT, "--root", "root-3.pub.pem") == "trust.one-key-twice"


@pytest.mark.parametrize(
    ("signer", "trust", "roots"),
    [
        (None, None, None),
        ("release.pub.pem", "trust.yaml", None),
        ("release.pub.pem", "trust.yaml", ["root-1.pub.pem"]),
        ("release.pub.pem", None, ["root-1.pub.pem"]),
        (None, None, ["root-1.pub.pem"]),
    ],
)
def test_whom_to_believe_is_said_in_one_way(
    signer: str | None, trust: str | None, roots: list[str] | None, at: Path
) -> None:
    with pytest.raises(InputError) as refusal:
        read_trust_options(
            Path(signer) if signer else None,
            Path(trust) if trust else None,
            [Path(root) for root in roots] if roots else None,
            trail=None,
            now=NOW,
        )
    assert refusal.value.code == "trust.choose"


def test_one_signer_is_believed_for_everything_and_waives_nothing(at: Path) -> None:
    believed = read_trust_options(Path("release.pub.pem"), None, None, trail=None, now=NOW)
    trust = believed.trust
    assert believed.checks == ()
    assert trust.image == trust.verdict.keys == trust.release.keys
    assert trust.waiver is None


def test_a_trust_file_without_roots_is_not_believed(at: Path, audit: Audit) -> None:
    audit.json(*INIT)
    assert code_of(believe) == "trust.no-root"
    assert audit.error("verify", "trust.yaml", "--trust", "trust.yaml") == "trust.no-root"
    assert audit.error("verify", "trust.yaml") == "trust.choose"


def test_the_clock_writes_times_as_a_trust_file_holds_them() -> None:
    from audit_pipeline.seal.trust.schema import RevokedKey

    RevokedKey(fingerprint="00" * 32, at=clock.now(), reason="x")


PEOPLE = ("--approver", "clinical-safety=approver-1.pub.pem", "--approver", "clinical-safety=approver-2.pub.pem")


def test_a_first_file_names_approvers_log_and_witnesses(at: Path, audit: Audit) -> None:
    log = NoteSigner.generate("log.example.com").key.to_vkey()
    seen = [NoteSigner.generate(f"w{number}.example.com", COSIGNATURE).key.to_vkey() for number in (1, 2, 3)]
    Path("w1.vkey").write_text(seen[0] + "\n")
    witnesses = ("--witness", "w1.vkey", "--witness", seen[1], "--witness", seen[2])
    audit.json(*INIT, *PEOPLE, "--approver", "quality=next.pub.pem", "--log-key", log, *witnesses)
    listed = audit.json(*LIST)
    assert listed["approvers"] == {"clinical-safety": ["approver-1", "approver-2"], "quality": ["next"]}
    assert listed["log"] == {"key": log, "witnesses": {"keys": seen, "threshold": 2}}
    text = audit.text(*LIST)
    assert "may approve as clinical-safety: approver-1, approver-2" in text
    assert "with 2 of 3 witnesses" in text


def test_approvals_of_a_revoked_key_are_to_be_given_again(at: Path, audit: Audit) -> None:
    audit.json(*INIT, *PEOPLE)
    (approval,) = audit.json(*REVOKE, "left", "approver-1")["next"]
    assert approval.startswith("what the key approver-1 approved as clinical-safety: have it approved again")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--approver", "approver-1.pub.pem"), "trust.approver"),
        (("--approver", "quality=none.pub.pem"), "keys.not-found"),
        (("--approver", "quality=device.pub.pem"), "keys.wrong-kind"),
        (("--approver", "Quality=approver-1.pub.pem"), "trust.invalid"),
        (("--approver", "quality=release.pub.pem"), "trust.two-roles"),
        (("--approver", "quality=approver-1.pub.pem", "--approver", "a=approver-1.pub.pem"), "trust.two-roles"),
        ((*PEOPLE, "--approver", "clinical-safety=approver-1.pub.pem"), "trust.name-taken"),
        (("--log-key", "log.example.com"), "log.unreadable"),
        (("--log-key", "log.example.com+00000000+AAAA"), "note.vkey"),
        (("--log-key", NoteSigner.generate("lög").key.to_vkey()), "trust.log"),
        (("--witness", "w+00000000+AAAA"), "trust.log"),
        (("--log-key", "log+00000000+AAAA", "--witnesses", "1"), "trust.log"),
        (("--waiver", "approver-1.pub.pem", "--threshold", "waiver=1"), "trust.waiver-threshold"),
    ],
)
def test_approvers_and_logs_that_cannot_be_are_refused(
    more: tuple[str, ...], code: str, at: Path, audit: Audit
) -> None:
    assert audit.error(*INIT, *more) == code
    assert not Path("trust.yaml").exists()
