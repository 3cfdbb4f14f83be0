"""What the commands of people have in common: the run, the reason, the key that signs, and what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audit_pipeline.cli.console import say
from audit_pipeline.cli.passphrase import read_passphrase
from audit_pipeline.cli.trail_place import DEFAULT_TRAIL
from audit_pipeline.cli.trust_option import read_trust_options
from audit_pipeline.errors import AuditError, InputError

if TYPE_CHECKING:
    from audit_pipeline.gate.demands import Demands
    from audit_pipeline.seal.keys.forms import SignerPublic
    from audit_pipeline.seal.keys.signer import Signer
    from audit_pipeline.seal.trust.schema import TrustDocument
    from audit_pipeline.trail.place import Place

RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")]
ReleaseArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run's folder, or its name in the trail.")]
ReasonOption = Annotated[
    str, typer.Option("--reason", help="Why; one line, kept in the trail for good: no names, nothing of a patient.")
]
KeyOption = Annotated[str, typer.Option("--key", help="Your own private key, or a pkcs11: URI.")]


def read_people(trust: Path | None, roots: list[Path] | None, trail: Place, at: str) -> tuple[Demands, TrustDocument]:
    """What a run is held against before people decide about it, and the trust file that alone says who may.

    No witnesses are asked for: they have not seen yet what was entered a minute ago.

    Raises:
        InputError: `trust.no-people`, none was given; or as `read_trust_options`.
        RejectedError: as `read_trust_options`.
    """
    from audit_pipeline.gate.demands import Demands
    from audit_pipeline.people.approvers import live_approvers
    from audit_pipeline.trail.log_trust import LogTrust
    from audit_pipeline.trail.note_key import NoteKey

    if trust is None:
        raise InputError(
            "trust.no-people",
            "only a trust file says who may approve and waive",
            hint="give --trust FILE with --root KEY, as to `audit gate`",
        )
    believed = read_trust_options(None, trust, roots, trail=trail, now=at)
    if believed.document is None:
        raise AssertionError("what was read from a trust file has one")
    document = believed.document
    log = LogTrust(NoteKey.parse(document.log.key) if document.log else None)
    return Demands(believed.trust, at, live_approvers(document, at), log), document


def open_signer(
    key: str,
    passphrase_fd: int | None,
    require: Callable[[SignerPublic], None] = lambda public: None,
    announced: Sequence[str] = (),
) -> Signer:
    """Open the key that signs; what is wrong with it is said before anybody types a passphrase, where that shows.

    Args:
        key: a private key file, or a `pkcs11:` URI.
        passphrase_fd: where its passphrase is read from.
        require: refuses a key that may not sign this.
        announced: what is about to be signed, in words, which are said before the passphrase is asked.

    Raises:
        InputError: as `load_signer` and `require`.
    """
    from audit_pipeline.seal.keys.load import check_private_file, load_signer

    check_private_file(key)
    known = _public_half(key)
    if known is not None:
        require(known)
    for line in announced:
        say(line)
    signer = load_signer(key, read_passphrase(passphrase_fd, purpose=key))
    require(signer.public)
    return signer


def _public_half(key: str) -> SignerPublic | None:
    """The public half of a private key, where it can be had without a passphrase; it is not believed, only asked."""
    from audit_pipeline.seal.keys.load import PRIVATE_SUFFIX, PUBLIC_SUFFIX, load_signer_public
    from audit_pipeline.seal.keys.pkcs11 import load_token_public
    from audit_pipeline.seal.keys.pkcs11_uri import is_token_uri

    with suppress(AuditError):
        if is_token_uri(key):
            return load_token_public(key)
        if key.endswith(PRIVATE_SUFFIX):
            return load_signer_public(Path(key.removesuffix(PRIVATE_SUFFIX) + PUBLIC_SUFFIX))
    return None


def run_name(run: str) -> str:
    """The name of a run that was given by its folder or by its name.

    Raises:
        InputError: the folder is no run's.
    """
    from audit_pipeline.gate.judge import require_run
    from audit_pipeline.report.evidence_file import load_evidence
    from audit_pipeline.run_folder import EVIDENCE

    folder = Path(run)
    if not folder.is_dir():
        return run
    require_run(folder)
    return load_evidence(folder / EVIDENCE).run.id


def command(*words: str, trust: Path | None = None, roots: list[Path] | None = None, trail: Place) -> str:
    """A command to type next, with the options that were given to this one.

    A database's address that may hold a password is left for whoever types to put in.
    """
    typed = ["audit", *words]
    if trust is not None:
        typed += ["--trust", str(trust), *(word for root in roots or () for word in ("--root", str(root)))]
    if trail.url != DEFAULT_TRAIL.url:
        typed += ["--trail", trail.url if str(trail) == trail.url else "URL"]
    return " ".join(word if word in _TO_FILL_IN else shlex.quote(word) for word in typed)


_TO_FILL_IN = frozenset({"FILE", "GROUP", "KEY", "LIMIT", "NEW", "POLICY", "RULE", "URL", "UTC", '"…"'})
