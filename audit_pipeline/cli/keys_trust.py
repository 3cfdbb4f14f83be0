"""`audit keys list|rotate|revoke` and `audit keys trust init|sign`: the trust file, from its first key to its last."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audit_pipeline.cli.clock import now
from audit_pipeline.cli.console import JsonFlag, show
from audit_pipeline.cli.passphrase import PassphraseFd, read_passphrase
from audit_pipeline.cli.ship import TrailOption
from audit_pipeline.errors import InputError

if TYPE_CHECKING:
    from audit_pipeline.seal.keys.forms import SignerPublic
    from audit_pipeline.seal.trust.schema import RoleName
    from audit_pipeline.trust_log import Changed

trust_app = typer.Typer(help="Make and sign the trust file: whose signatures count.", no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(metavar="TRUST", help="The trust file, such as signing/trust.yaml.")]
FileOption = Annotated[Path, typer.Option("--trust", help="The trust file.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; one line, kept in the file and in the trail.")]
DEFAULT_FILE = Path("signing/trust.yaml")


@trust_app.command("init")
def init(
    file: FileArgument,
    name: Annotated[str, typer.Option("--name", help="What the trail remembers the file by.")],
    expires: Annotated[str, typer.Option("--expires", help="From when on it is not believed: 2027-05-04T00:00:00Z.")],
    root: Annotated[list[Path], typer.Option("--root", help="Public key that signs this file; once for each.")],
    image: Annotated[list[Path], typer.Option("--image", help="Public key that signs images.")],
    verdict: Annotated[list[Path], typer.Option("--verdict", help="Public key that signs verdicts.")],
    release: Annotated[list[Path], typer.Option("--release", help="Public key that signs releases.")],
    waiver: Annotated[list[Path] | None, typer.Option("--waiver", help="Public key that signs waivers.")] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(
            "--threshold",
            metavar="ROLE=N",
            help="How many must sign; else more than half of the roots, two waiver keys, one of the others.",
        ),
    ] = None,
    trail: TrailOption = "audit.db",
    as_json: JsonFlag = False,
) -> None:
    """Write a first trust file from public keys, each under the name of its file; the root keys sign it next."""
    from audit_pipeline.seal.trust.changes import first_trust
    from audit_pipeline.trust_log import begin

    at = now()
    given: dict[RoleName, list[Path]] = {
        "root": root,
        "image": image,
        "verdict": verdict,
        "release": release,
        "waiver": waiver or [],
    }
    keys = {role: _public_keys(paths) for role, paths in given.items()}
    document = first_trust(name, _later(expires, "--expires", at), keys, _thresholds(threshold or []))
    _tell("wrote", file, begin(file, document, trail=trail, at=at), as_json=as_json)


@trust_app.command("sign")
def sign(
    file: FileArgument,
    key: Annotated[str, typer.Option("--key", help="Private root key, or a pkcs11: URI.")],
    trail: TrailOption = "audit.db",
    passphrase_fd: PassphraseFd = None,
    as_json: JsonFlag = False,
) -> None:
    """Add one root key's signature over the file's exact bytes to trust.dsse.json; look at `audit keys list` first."""
    from rich.markup import escape

    from audit_pipeline.seal.keys.load import check_private_file, load_signer
    from audit_pipeline.seal.trust.file import read_trust
    from audit_pipeline.trust_log import sign as add

    # What cannot be signed, or not with this, is found before anybody types a passphrase; a PIN in a URI before any
    # message repeats the URI.
    read_trust(file)
    check_private_file(key)
    signer = load_signer(key, read_passphrase(passphrase_fd, purpose=key))
    signed = add(file, signer, trail=trail, at=now())
    document = signed.file.value
    by = list(signed.by)
    needed = document.roles.root.threshold
    lines = [f"signed {escape(str(file))}, serial {document.serial}, SHA-256 {signed.file.sha256}"]
    if signed.dropped:
        lines.append(f"[yellow]dropped {signed.dropped} earlier signatures[/]: over other bytes, or of no root key")
    lines.append(f"{len(by)} of {needed} needed: {escape(', '.join(by))}")
    result = {
        "serial": document.serial,
        "sha256": signed.file.sha256,
        "signed_by": by,
        "threshold": needed,
        "dropped": signed.dropped,
        "entry": signed.index,
    }
    show(result, "\n".join(lines), as_json=as_json)


def list_(file: FileOption = DEFAULT_FILE, as_json: JsonFlag = False) -> None:
    """Show the trust file's keys: name, kind, roles, fingerprint, state. Not whether to believe it."""
    from rich.console import Group
    from rich.table import Column, Table
    from rich.text import Text

    from audit_pipeline.seal.trust.envelope import envelope_path, read_envelope
    from audit_pipeline.seal.trust.file import read_trust
    from audit_pipeline.seal.trust.listing import listed_keys, root_signers

    loaded, at = read_trust(file), now()
    document, keys = loaded.value, listed_keys(loaded.value, at)
    by = list(root_signers(loaded, read_envelope(file), at, where=str(envelope_path(file))))
    table = Table("name", "kind", "roles", "state", Column("fingerprint", no_wrap=True), box=None, pad_edge=False)
    for row in keys:
        cells = (row.name or "–", row.kind or "–", ", ".join(row.roles) or "–", row.state, row.fingerprint)
        table.add_row(*(Text(cell, overflow="fold") for cell in cells))
    roles = document.roles.given()
    lines = [
        f"{document.name}, serial {document.serial}, expires {document.expires}",
        "must sign: " + ", ".join(f"{name} {role.threshold} of {len(role.keys)}" for name, role in roles.items()),
        f"signed by {', '.join(by) or 'nobody'}, by the file's own word: who relies on it gives --root",
        *(
            f"revoked {row.name or row.fingerprint} {row.revoked.at}: {row.revoked.reason}"
            for row in keys
            if row.revoked
        ),
    ]
    result = {
        "name": document.name,
        "serial": document.serial,
        "expires": document.expires,
        "sha256": loaded.sha256,
        "thresholds": {name: role.threshold for name, role in roles.items()},
        "signed_by": by,
        "keys": [row.to_json() for row in keys],
    }
    show(result, Group(table, "", *(Text(line) for line in lines)), as_json=as_json)


def rotate(
    name: Annotated[str, typer.Argument(help="The key that is replaced, as `audit keys list` names it.")],
    to: Annotated[Path, typer.Option("--to", help="The new public key; it takes over all roles.")],
    reason: ReasonOption,
    new_name: Annotated[str | None, typer.Option("--name", help="Of the new key; else its file's name.")] = None,
    keep_until: Annotated[
        str | None,
        typer.Option("--keep-until", help="The old key counts beside the new one until then; else it is revoked now."),
    ] = None,
    file: FileOption = DEFAULT_FILE,
    trail: TrailOption = "audit.db",
    as_json: JsonFlag = False,
) -> None:
    """Replace a key by a new one in all its roles; the trail gets an entry, and the root keys sign again."""
    from audit_pipeline.seal.keys.load import load_signer_public
    from audit_pipeline.seal.trust.changes import Rotation
    from audit_pipeline.trust_log import change

    at = now()
    until = _later(keep_until, "--keep-until", at) if keep_until is not None else None
    wanted = Rotation(name, new_name or _name_of(to), load_signer_public(to), reason, until)
    _tell("rotated", file, change(file, wanted, trail=trail, at=at), as_json=as_json)


def revoke(
    name: Annotated[str, typer.Argument(help="The key, as `audit keys list` names it.")],
    reason: ReasonOption,
    file: FileOption = DEFAULT_FILE,
    trail: TrailOption = "audit.db",
    as_json: JsonFlag = False,
) -> None:
    """Revoke a key: none of its signatures counts any more; the trail gets an entry, and the root keys sign again."""
    from audit_pipeline.seal.trust.changes import Revocation
    from audit_pipeline.trust_log import change

    _tell("revoked", file, change(file, Revocation(name, reason), trail=trail, at=now()), as_json=as_json)


def _tell(done: str, file: Path, changed: Changed, *, as_json: bool) -> None:
    from rich.markup import escape

    document = changed.document
    result = {
        "serial": document.serial,
        "sha256": changed.sha256,
        "entry": changed.index,
        "signatures_needed": document.roles.root.threshold,
    }
    text = (
        f"{done}: {escape(str(file))}, serial {document.serial}, SHA-256 {changed.sha256}\n"
        f"entry {changed.index} of the trail\n"
        f"nobody has signed it yet: {document.roles.root.threshold} of {', '.join(document.roles.root.keys)} must "
        f"(audit keys trust sign {escape(str(file))} --key KEY)"
    )
    show(result, text, as_json=as_json)


def _public_keys(paths: list[Path]) -> dict[str, SignerPublic]:
    from audit_pipeline.seal.keys.load import load_signer_public

    found: dict[str, SignerPublic] = {}
    for path in paths:
        name = _name_of(path)
        if name in found:
            raise InputError("trust.name-taken", f"two keys of one role are called {name!r}", where=str(path))
        found[name] = load_signer_public(path)
    return found


def _name_of(path: Path) -> str:
    return path.name.removesuffix(".pem").removesuffix(".pub")


def _later(text: str, option: str, at: str) -> str:
    """A moment that was given on the command line and is still to come."""
    from audit_pipeline.seal.trust.schema import moment

    try:
        if moment(text) > moment(at):
            return text
    except ValueError:
        what, hint = f"{text[:64]!r} is no moment", "give it in UTC, as 2027-05-04T00:00:00Z"
    else:
        what, hint = f"{text} has passed", f"give a moment after {at}"
    raise InputError("trust.moment", what, where=option, hint=hint)


def _thresholds(given: list[str]) -> dict[RoleName, int]:
    from audit_pipeline.seal.trust.schema import ROLES

    found: dict[RoleName, int] = {}
    for text in given:
        word, _, number = text.partition("=")
        role = next((role for role in ROLES if role == word), None)
        if role is None or not number.isdecimal() or len(number) > 3:
            raise InputError(
                "trust.threshold", f"{text[:64]!r} is not ROLE=N", where="--threshold", hint="such as waiver=2"
            )
        found[role] = int(number)
    return found
