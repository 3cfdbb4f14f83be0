"""`audit keys rotate|revoke` and `audit keys trust init|sign|renew`: the trust file, from its first key to its last."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audit_pipeline.cli import trust_words
from audit_pipeline.cli.clock import now
from audit_pipeline.cli.console import JsonFlag, say, show
from audit_pipeline.cli.passphrase import PassphraseFd, read_passphrase
from audit_pipeline.cli.trail_place import DEFAULT_TRAIL, TrailOption
from audit_pipeline.cli.trust_file import DEFAULT_FILE, FileArgument, FileOption, read_maintained, renewal_advice
from audit_pipeline.cli.trust_steps import Replaced, steps_after, to_be_signed
from audit_pipeline.errors import InputError

if TYPE_CHECKING:
    from audit_pipeline.seal.trust.schema import RoleName, TrustDocument
    from audit_pipeline.trust_log import Changed

trust_app = typer.Typer(help="Make and sign the trust file: whose signatures count.", no_args_is_help=True)

ReasonOption = Annotated[str, typer.Option("--reason", help="Why; one line, kept in the file and in the trail.")]


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
    approver: Annotated[
        list[str] | None,
        typer.Option(
            "--approver", metavar="ROLE=KEY", help="Public key that approves releases, and as what; once for each."
        ),
    ] = None,
    log_key: Annotated[
        str | None, typer.Option("--log-key", metavar="VKEY|FILE", help="Whose checkpoints of the trail are believed.")
    ] = None,
    witness: Annotated[
        list[str] | None, typer.Option("--witness", metavar="VKEY|FILE", help="Who cosigns them; once for each.")
    ] = None,
    witnesses: Annotated[
        int | None, typer.Option("--witnesses", metavar="K", help="How many of them must; else more than half.", min=1)
    ] = None,
    trail: TrailOption = DEFAULT_TRAIL,
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
    document = first_trust(
        name,
        _later(expires, "--expires", at),
        {role: trust_words.public_keys(paths) for role, paths in given.items()},
        trust_words.thresholds(threshold or []),
        trust_words.approvers(approver or []),
        trust_words.log(log_key, witness or [], witnesses),
    )
    _tell("wrote", file, begin(file, document, trail=trail, at=at), at, as_json=as_json)


@trust_app.command("sign")
def sign(
    file: FileArgument,
    key: Annotated[str, typer.Option("--key", help="Private root key, or a pkcs11: URI.")],
    trail: TrailOption = DEFAULT_TRAIL,
    passphrase_fd: PassphraseFd = None,
    as_json: JsonFlag = False,
) -> None:
    """Add one root key's signature over the file's exact bytes to trust.dsse.json; look at `audit keys list` first."""
    from rich.markup import escape

    from audit_pipeline.seal.keys.load import check_private_file, load_signer
    from audit_pipeline.trust_log import sign as add

    # What cannot be signed, or not with this, is found before anybody types a passphrase; a PIN in a URI before any
    # message repeats the URI.
    read_maintained(file)
    check_private_file(key)
    signer = load_signer(key, read_passphrase(passphrase_fd, purpose=key))
    at = now()
    signed = add(file, signer, trail=trail, at=at)
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
    _warn(file, document, at)


@trust_app.command("renew")
def renew(
    file: FileArgument,
    expires: Annotated[
        str, typer.Option("--expires", help="From when on it is not believed, later than now: 2028-05-04T00:00:00Z.")
    ],
    trail: TrailOption = DEFAULT_TRAIL,
    as_json: JsonFlag = False,
) -> None:
    """Give the file a later last day and change nothing else; the trail gets an entry, and the root keys sign again."""
    from audit_pipeline.seal.trust.changes import Renewal
    from audit_pipeline.trust_log import change

    at = now()
    read_maintained(file)
    wanted = Renewal(_later(expires, "--expires", at))
    _tell("renewed", file, change(file, wanted, trail=trail, at=at), at, as_json=as_json)


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
    trail: TrailOption = DEFAULT_TRAIL,
    as_json: JsonFlag = False,
) -> None:
    """Replace a key by a new one in all its roles; the trail gets an entry, and the root keys sign again."""
    from audit_pipeline.seal.keys.load import load_signer_public
    from audit_pipeline.seal.trust.changes import Rotation, roles_of
    from audit_pipeline.trust_log import change

    at = now()
    roles = roles_of(read_maintained(file).value, name)
    until = _later(keep_until, "--keep-until", at) if keep_until is not None else None
    wanted = Rotation(name, new_name or trust_words.name_of(to), load_signer_public(to), reason, until)
    changed = change(file, wanted, trail=trail, at=at)
    _tell("rotated", file, changed, at, Replaced(name, roles, wanted.new, to, until), as_json=as_json)


def revoke(
    name: Annotated[str, typer.Argument(help="The key, as `audit keys list` names it.")],
    reason: ReasonOption,
    file: FileOption = DEFAULT_FILE,
    trail: TrailOption = DEFAULT_TRAIL,
    as_json: JsonFlag = False,
) -> None:
    """Revoke a key: none of its signatures counts any more; the trail gets an entry, and the root keys sign again."""
    from audit_pipeline.seal.trust.changes import Revocation, roles_of
    from audit_pipeline.trust_log import change

    at = now()
    roles = roles_of(read_maintained(file).value, name)
    changed = change(file, Revocation(name, reason), trail=trail, at=at)
    _tell("revoked", file, changed, at, Replaced(name, roles), as_json=as_json)


def _tell(done: str, file: Path, changed: Changed, at: str, replaced: Replaced | None = None, *, as_json: bool) -> None:
    from rich.markup import escape

    document = changed.document
    steps = steps_after(replaced) if replaced is not None else []
    result = {
        "serial": document.serial,
        "sha256": changed.sha256,
        "entry": changed.index,
        "signatures_needed": document.roles.root.threshold,
        "next": steps,
    }
    lines = [
        f"{done}: {file}, serial {document.serial}, SHA-256 {changed.sha256}",
        f"entry {changed.index} of the trail",
        to_be_signed(file, document),
        *(["then:"] if steps else []),
        *(f"- {step}" for step in steps),
    ]
    show(result, escape("\n".join(lines)), as_json=as_json)
    _warn(file, document, at)


def _warn(file: Path, document: TrustDocument, at: str) -> None:
    advice = renewal_advice(file, document, at)
    if advice is not None:
        say(f"warning: {advice}")


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
