"""`audit keys`: make key pairs, read whose a public key is, and give keys to other tools and firmware."""

from __future__ import annotations

import base64
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audit_pipeline.cli.console import JsonFlag, say, show
from audit_pipeline.cli.passphrase import PassphraseFd, read_passphrase
from audit_pipeline.errors import InputError

if TYPE_CHECKING:
    from audit_pipeline.seal.keys.forms import AnyPublic
    from audit_pipeline.seal.keys.key_export import PrivateForm

app = typer.Typer(help="Make, read and give out the keys that sign and encrypt images.", no_args_is_help=True)


_IN_THE_CLEAR = (
    "warning: this file holds the device's private key in the clear. Whoever reads it, or the flash of one device that "
    "was built with it, decrypts every image sealed for that key. Give each device or batch its own key, keep the file "
    "out of version control, and delete it after the build"
)
_EASIER_TO_GUESS = (
    "warning: in this form a guess at the passphrase costs an attacker far less (PBKDF2, 2,048 rounds). Harden it "
    "with `openssl pkcs8 -topk8 -scrypt`, or delete it once the other tool has taken the key"
)


class Kind(StrEnum):
    """What a key is for."""

    ED25519 = "ed25519"
    P256 = "p256"
    X25519 = "x25519"


class Form(StrEnum):
    """How a key is written for others."""

    PEM = "pem"
    DER = "der"
    RAW = "raw"
    C = "c"
    MCUBOOT_C = "mcuboot-c"


_PRIVATE_FORMS: dict[Form, tuple[PrivateForm, str]] = {
    Form.PEM: ("pem", _EASIER_TO_GUESS),
    Form.RAW: ("raw", _IN_THE_CLEAR),
    Form.C: ("c", _IN_THE_CLEAR),
    Form.MCUBOOT_C: ("mcuboot-c", _IN_THE_CLEAR),
}


@app.command("new")
def new(
    name: Annotated[Path, typer.Argument(help="Where to put it: NAME.key.pem (private, 0600) and NAME.pub.pem.")],
    kind: Annotated[
        Kind, typer.Option(help="ed25519 signs; x25519 is a device that images are encrypted for; p256 is either.")
    ] = Kind.ED25519,
    passphrase_fd: PassphraseFd = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a key pair; the private key is kept under a passphrase."""
    from audit_pipeline.seal.keys.load import new_key

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
    key: Annotated[str, typer.Argument(help="A public key, PEM, or a pkcs11: URI.")],
    as_json: JsonFlag = False,
) -> None:
    """Print a public key's kind and fingerprint, as evidence and `audit inspect` name it."""
    from audit_pipeline.seal.keys.forms import fingerprint as of
    from audit_pipeline.seal.keys.forms import kind_of

    public = _public(key)
    result = {"kind": kind_of(public), "fingerprint": of(public)}
    show(result, f"{result['kind']} {result['fingerprint']}", as_json=as_json)


@app.command("export")
def export(
    key: Annotated[str, typer.Argument(help="A public or private key, PEM, or a pkcs11: URI.")],
    form: Annotated[
        Form, typer.Option("--as", help="c is for signing/device/, mcuboot-c is a bootloader's keys.c.")
    ] = Form.PEM,
    out: Annotated[Path | None, typer.Option(help="A new file; otherwise stdout.")] = None,
    private: Annotated[
        bool, typer.Option("--private", help="The private half, to a new file that only its owner may read.")
    ] = False,
    passphrase_fd: PassphraseFd = None,
    as_json: JsonFlag = False,
) -> None:
    """Write a key in the form that another tool, a bootloader or a device takes."""
    from audit_pipeline.seal.keys.key_export import export_public
    from audit_pipeline.seal.keys.key_file import PUBLIC_MODE, NewFile, write_new
    from audit_pipeline.seal.keys.load import load_any_private

    if private:
        _export_private(key, form, out, passphrase_fd, as_json=as_json)
        return
    try:
        public = _public(key)
    except InputError as error:
        if error.code != "keys.private-where-public":
            raise
        # Its public half is in it: whoever lost the public file need not make a new key.
        public = load_any_private(Path(key), read_passphrase(passphrase_fd, purpose=key)).public_key()
    content = export_public(public, form.value)
    if out is not None:
        write_new(NewFile(out, content, PUBLIC_MODE))
        _show_written(form, out, as_json=as_json)
    elif as_json:
        show({"form": form.value, "base64": base64.b64encode(content).decode()}, "", as_json=True)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)


def _export_private(key: str, form: Form, out: Path | None, passphrase_fd: int | None, *, as_json: bool) -> None:
    from audit_pipeline.seal.keys.forms import ANY_PRIVATE
    from audit_pipeline.seal.keys.key_export import export_private
    from audit_pipeline.seal.keys.key_file import PRIVATE_MODE, NewFile, write_new
    from audit_pipeline.seal.keys.load import check_private_file, load_any_private
    from audit_pipeline.seal.keys.pkcs11_uri import is_token_uri

    if is_token_uri(key):
        raise InputError("keys.in-token", "a private key never leaves its token", hint="leave --private away")
    if out is None:
        raise InputError("keys.export-place", "a private key is never printed", hint="name a new file: --out FILE")
    if form not in _PRIVATE_FORMS:
        raise InputError(
            "keys.export-form", f"a private key is not written as {form.value}", hint="--as pem, raw, c or mcuboot-c"
        )
    wanted, warning = _PRIVATE_FORMS[form]
    check_private_file(key, ANY_PRIVATE)
    passphrase = read_passphrase(passphrase_fd, purpose=key)
    content = export_private(load_any_private(Path(key), passphrase), wanted, passphrase)
    write_new(NewFile(out, content, PRIVATE_MODE))
    _show_written(form, out, as_json=as_json)
    say(warning)


def _show_written(form: Form, out: Path, *, as_json: bool) -> None:
    show({"form": form.value, "file": str(out)}, f"{form.value:<12} {out}", as_json=as_json)


def _public(key: str) -> AnyPublic:
    from audit_pipeline.seal.keys.load import load_any_public
    from audit_pipeline.seal.keys.pkcs11 import load_token_public
    from audit_pipeline.seal.keys.pkcs11_uri import is_token_uri

    return load_token_public(key) if is_token_uri(key) else load_any_public(Path(key))[0]
