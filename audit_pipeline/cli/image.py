"""`audit verify` and `audit inspect`: a sealed image, judged and described."""

from __future__ import annotations

import errno
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audit_pipeline.cli.clock import now
from audit_pipeline.cli.console import JsonFlag, printable, show
from audit_pipeline.cli.passphrase import PassphraseFd, read_passphrase
from audit_pipeline.cli.shown_waivers import waivers_beside, waivers_in_trail
from audit_pipeline.cli.trail_place import OptionalTrailOption
from audit_pipeline.cli.trust_option import RootOption, SignerOption, TrustFileCheck, TrustOption, read_trust_options
from audit_pipeline.errors import ExitCode, InputError
from audit_pipeline.regular_file import read_regular_file

if TYPE_CHECKING:
    from audit_pipeline.seal.verify import Check

_LARGEST_BYTES = 1 << 28
"""No microcontroller has an image of this size."""


def verify(
    image: Annotated[Path, typer.Argument(help="A sealed image; a run's firmware.bin.")],
    signer: SignerOption = None,
    trust: TrustOption = None,
    root: RootOption = None,
    trail: OptionalTrailOption = None,
    release: Annotated[Path | None, typer.Option(help="Release attestation; release.dsse.json beside it.")] = None,
    verdict: Annotated[Path | None, typer.Option(help="Verdict attestation; verdict.dsse.json beside it.")] = None,
    policy: Annotated[Path | None, typer.Option(help="Policy file; policy.yaml beside it.")] = None,
    model: Annotated[Path | None, typer.Option(help="The .tflite; model.tflite beside it.")] = None,
    waiver: Annotated[
        list[Path] | None,
        typer.Option(help="A waiver that the verdict was given under; once for each. Else the trail's, or beside it."),
    ] = None,
    recipient: Annotated[Path | None, typer.Option(help="The device's private key: decrypts and compares too.")] = None,
    passphrase_fd: PassphraseFd = None,
    as_json: JsonFlag = False,
) -> None:
    """Check a sealed image, with the attestations, policy and model that lie beside it.

    Exit 1 at the first thing that does not hold; 3 where all holds but some byte could have been altered unseen, for
    want of the release attestation or the device's key, or where the verdict that allowed the image was not shown.
    A waiver that has ended is none. Without --trail an old trust file passes until it expires, and nobody can know
    that the release was withdrawn.
    """
    from rich.markup import escape

    from audit_pipeline import run_folder
    from audit_pipeline.seal.keys.load import load_recipient
    from audit_pipeline.seal.verify import Companions
    from audit_pipeline.seal.verify import verify as judge

    content = _read(image)
    at = now()
    believed = read_trust_options(signer, trust, root, trail=trail, now=at)
    if believed.document is not None:
        from audit_pipeline.seal.trust.revoked_signer import require_unrevoked_signer

        require_unrevoked_signer(content, believed.document)
    key = None
    if recipient is not None:
        key = load_recipient(recipient, read_passphrase(passphrase_fd, purpose=str(recipient)))
    attested = _companion(verdict, image, run_folder.VERDICT)
    in_trail = waivers_in_trail(attested, trail) if trail is not None else None
    companions = Companions(
        release=_companion(release, image, run_folder.RELEASE),
        verdict=attested,
        policy=_companion(policy, image, run_folder.POLICY),
        model=_companion(model, image, run_folder.MODEL),
        waivers=in_trail if in_trail and not waiver else tuple(map(_read, waiver or waivers_beside(attested, image))),
    )
    report = judge(content, trust=believed.trust, companions=companions, recipient=key, now=at)
    marks = {"passed": "[green]✓[/]", "not-checked": "[yellow]–[/]"}
    checks: list[TrustFileCheck | Check] = [*believed.checks, *report.checks]
    lines = [f"{marks[check.state]} {check.name:<16} {escape(check.what)}" for check in checks]
    lines.append(report.binding)
    if report.binds_every_byte and not report.shows_the_verdict:
        lines.append("nobody showed what allowed it: give the verdict attestation")
    result = {
        "level": report.level,
        "image_sha256": report.image_sha256,
        "binds_every_byte": report.binds_every_byte,
        "shows_the_verdict": report.shows_the_verdict,
        "checks": [asdict(check) for check in checks],
    }
    show(result, "\n".join(lines), as_json=as_json)
    if not (report.binds_every_byte and report.shows_the_verdict):
        raise typer.Exit(ExitCode.INCONCLUSIVE)


def inspect(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A sealed image, or a model of any supported format.")],
    as_json: JsonFlag = False,
) -> None:
    """Describe a sealed image or a model; nothing is verified, no key is needed, nothing in it is executed."""
    from audit_pipeline.seal.parse import looks_like_image

    if path.is_file() and looks_like_image(_read(path)):
        from audit_pipeline.seal.describe import describe

        document = describe(_read(path))
    else:
        document = _describe_model(path)
    show(document, _tree(document), as_json=as_json)


def _describe_model(path: Path) -> dict[str, Any]:
    from audit_pipeline.model.intake import inspect_model

    source = inspect_model(path)
    document: dict[str, Any] = source.part.model_dump(mode="json")
    if source.is_finished:
        from audit_pipeline.compress.recipe import from_tflite
        from audit_pipeline.device.footprint import measure

        footprint = measure(from_tflite(source), "no board", "", 0, 0)
        document["device"] = footprint.model_dump(
            mode="json", include={"flash_bytes", "arena_bytes", "macs", "operators"}
        )
    return document


def _tree(document: dict[str, Any]) -> Any:
    from rich.markup import escape
    from rich.tree import Tree

    root = Tree("", hide_root=True)

    def grow(branch: Tree, name: str, value: Any) -> None:
        if value is None:
            return
        if isinstance(value, dict):
            inner = branch.add(f"[bold]{escape(printable(name))}[/]")
            for key, item in value.items():
                grow(inner, key, item)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            inner = branch.add(f"[bold]{escape(printable(name))}[/]")
            for item in value:
                inner.add(escape(printable("  ".join(str(part) for part in item.values() if part is not None))))
        else:
            shown = "×".join(map(str, value)) if isinstance(value, list) else str(value)
            branch.add(f"{escape(printable(name))}: {escape(printable(shown))}")

    for key, item in document.items():
        grow(root, key, item)
    return root


def _companion(named: Path | None, image: Path, usual: str) -> bytes | None:
    if named is not None:
        return _read(named)
    beside = image.parent / usual
    return _read(beside) if beside.is_file() else None


def _read(path: Path) -> bytes:
    try:
        return read_regular_file(path, largest_bytes=_LARGEST_BYTES)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise InputError("file.too-large", f"larger than {_LARGEST_BYTES >> 20} MiB", where=str(path)) from error
        raise InputError(
            "file.unreadable",
            f"cannot be read: {error.strerror}",
            where=str(path),
            hint="give a file in it, such as a run's firmware.bin" if path.is_dir() else "check the path",
        ) from error
