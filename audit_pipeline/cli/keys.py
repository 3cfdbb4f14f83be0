"""`audit keys`: make key pairs, and read whose a public key is."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from audit_pipeline.cli.console import JsonFlag, show
from audit_pipeline.cli.passphrase import PassphraseFd, read_passphrase

app = typer.Typer(help="Make and read the keys that sign and encrypt images.", no_args_is_help=True)


class Kind(StrEnum):
    """What a key is for."""

    ED25519 = "ed25519"
    X25519 = "x25519"


@app.command("new")
def new(
    name: Annotated[Path, typer.Argument(help="Where to put it: NAME.key.pem (private, 0600) and NAME.pub.pem.")],
    kind: Annotated[Kind, typer.Option(help="ed25519 signs images; x25519 is the device they are encrypted for.")] = (
        Kind.ED25519
    ),
    passphrase_fd: PassphraseFd = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a key pair; the private key is kept under a passphrase."""
    from audit_pipeline.seal.keys import new_key

    made = new_key(kind.value, name, read_passphrase(passphrase_fd, purpose=f"{name}.key.pem", confirm=True))
    result = {
        "kind": made.kind,
        "private": str(made.private),
        "public": str(made.public),
        "fingerprint": made.fingerprint,
    }
    show(result, "\n".join(f"{key:<12} {value}" for key, value in result.items()), as_json=as_json)


@app.command("fingerprint")
def fingerprint(
    key: Annotated[Path, typer.Argument(help="A public key, PEM.")],
    as_json: JsonFlag = False,
) -> None:
    """Print a public key's kind and fingerprint, as evidence and `audit inspect` name it."""
    from audit_pipeline.seal.keys import fingerprint as of
    from audit_pipeline.seal.keys import load_any_public

    public, kind = load_any_public(key)
    result = {"kind": kind, "fingerprint": of(public)}
    show(result, f"{kind} {result['fingerprint']}", as_json=as_json)
