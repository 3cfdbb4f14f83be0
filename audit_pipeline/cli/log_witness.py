"""`audit log witness`: make a witness's key, run a witness, and ask one for its cosignature."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audit_pipeline.cli.clock import seconds
from audit_pipeline.cli.console import JsonFlag, say, show
from audit_pipeline.cli.log_trust_option import LogKeyOption, WitnessOption, read_log_trust, read_vkey
from audit_pipeline.cli.output import check_place
from audit_pipeline.cli.trail_place import DEFAULT_TRAIL, TrailOption
from audit_pipeline.errors import InputError

if TYPE_CHECKING:
    from audit_pipeline.trail.note_key import NoteKey

app = typer.Typer(help="Cosign logs that only grow, or have a log cosigned.", no_args_is_help=True)

_LOOPBACK = "127.0.0.1:8099"


@app.command("new")
def new(
    file: Annotated[Path, typer.Argument(metavar="KEYFILE", help="Where the witness's private key is to be.")],
    name: Annotated[str, typer.Option("--name", help="Of the witness, a URL without scheme: example.com/w1.")],
    as_json: JsonFlag = False,
) -> None:
    """Make a witness's key; what is printed goes to those who rely on the witness."""
    from rich.markup import escape

    from audit_pipeline.trail.witness.witness_key import make_witness_key

    check_place(file)
    vkey = make_witness_key(file, name).key.to_vkey()
    show({"key": str(file), "vkey": vkey}, escape(vkey), as_json=as_json)


@app.command("serve")
def serve(
    key: Annotated[Path, typer.Option("--key", help="The witness's private key.")],
    log: Annotated[list[str], typer.Option("--log", metavar="VKEY|FILE", help="Public key of a log it cosigns.")],
    state: Annotated[Path, typer.Option("--state", help="Folder for what it has cosigned; of this witness only.")],
    listen: Annotated[str, typer.Option("--listen", metavar="HOST:PORT", help="Where it listens.")] = _LOOPBACK,
    as_json: JsonFlag = False,
) -> None:
    """Run a witness until it is stopped: it remembers each log's size and root, and cosigns what extends them.

    It is no witness where the log's keeper can reach its key or its state: run it as another user, best elsewhere.
    """
    from rich.markup import escape

    from audit_pipeline.trail.witness.cosigner import Cosigner
    from audit_pipeline.trail.witness.server import WitnessServer, listen_at
    from audit_pipeline.trail.witness.state import WitnessState
    from audit_pipeline.trail.witness.witness_key import read_witness_key

    signer = read_witness_key(key)
    logs = _logs([read_vkey(each, "--log") for each in log])
    with (
        WitnessState.open(state, signer.key) as memory,
        WitnessServer(listen_at(listen), Cosigner(signer, logs, memory, seconds), say) as server,
    ):
        host, port = server.server_address[:2]
        url = f"http://{host!s}:{port}"
        result = {"vkey": signer.key.to_vkey(), "url": url, "logs": [each.to_vkey() for each in logs]}
        lines = (f"witness of {', '.join(each.name for each in logs)}", f"at {url}, as", signer.key.to_vkey())
        show(result, escape("\n".join(lines)), as_json=as_json)
        sys.stdout.flush()  # read by whoever started it, long before it ends
        with suppress(KeyboardInterrupt):  # how it is meant to end
            server.serve_forever()


@app.command("ask")
def ask(
    url: Annotated[str, typer.Argument(help="The witness's address: http://127.0.0.1:8099.")],
    trail: TrailOption = DEFAULT_TRAIL,
    witness: WitnessOption = None,
    log_key: LogKeyOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Have a witness cosign the newest checkpoint, and store its cosignature in the trail.

    With --witness it has to be the cosignature of that key, and is checked before it is stored.
    """
    from rich.markup import escape

    from audit_pipeline.trail.log import Trail
    from audit_pipeline.trail.log_trust import LogTrust
    from audit_pipeline.trail.witnessing import ask_for_cosignature

    expected = [read_vkey(each, "--witness") for each in witness or ()]
    key = read_log_trust(log_key, None, None, None).key
    with Trail.open(trail, create=False) as opened:
        cosigned = ask_for_cosignature(opened, url, expected, LogTrust(key))
    names = [signature.name for signature in cosigned.signatures]
    size = cosigned.checkpoint.head.size
    result = {"url": url, "origin": cosigned.checkpoint.origin, "size": size, "names": names, "checked": bool(expected)}
    text = f"checkpoint of {size} entries of {cosigned.checkpoint.origin} cosigned by {', '.join(names)}"
    show(result, escape(text), as_json=as_json)
    if not expected:
        say("nobody checked whose cosignature this is: give --witness with the witness's key to audit log verify")


def _logs(keys: list[NoteKey]) -> list[NoteKey]:
    from audit_pipeline.trail.note_key import ED25519

    for key in keys:
        if key.kind != ED25519:
            raise InputError(
                "witness.log",
                f"{key.name} is a witness's key",
                where="--log",
                hint="give the vkey that `audit log show` prints",
            )
    return keys
