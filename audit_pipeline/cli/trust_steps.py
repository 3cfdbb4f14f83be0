"""What people have to do after a key was replaced or revoked: the trust file alone changes no policy and no device."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audit_pipeline.seal.trust.schema import TrustDocument

_RELEASING = {"image", "verdict", "release"}


@dataclass(frozen=True)
class Replaced:
    """A key that lost its roles, and the one that has them now."""

    old: str
    roles: Collection[str]
    """those that the old key had"""
    new: str | None = None
    """None where it was revoked without a successor"""
    new_public: Path | None = None
    until: str | None = None
    """how long the old key still counts; None where it does not any more"""


def to_be_signed(file: Path, document: TrustDocument) -> str:
    """Who must sign a file that was just changed, and how."""
    root = document.roles.root
    return (
        f"nobody has signed it yet: {root.threshold} of {', '.join(root.keys)} must "
        f"(audit keys trust sign {shlex.quote(str(file))} --key KEY)"
    )


def steps_after(replaced: Replaced) -> list[str]:
    """What follows for policies, images, bootloaders and readers."""
    old, roles = replaced.old, set(replaced.roles)
    again = f"before {replaced.until}" if replaced.until else "now; none of it is believed any more"
    steps = []
    if roles & _RELEASING:
        steps += [
            f"seal.signer of every policy that names the key {old}: {_successor(replaced)}",
            f"what the key {old} signed: release it again with `audit ship`, {again}",
        ]
    if "image" in roles:
        steps.append(f"bootloaders: {_built_in(replaced)}")
    if "waiver" in roles:
        steps.append(f"waivers that the key {old} signed: have them signed again, {again}")
    steps += [
        f"what the key {old} approved as {role.partition(':')[2]}: have it approved again with `audit approve`, {again}"
        for role in sorted(roles)
        if role.startswith("approver:")
    ]
    if "root" in roles:
        steps.append(
            f"everybody who pins the key {old} with --root: {_successor(replaced)}, handed over by another way"
        )
    return steps


def _successor(replaced: Replaced) -> str:
    return f"name {replaced.new} instead" if replaced.new else "name another key instead"


def _built_in(replaced: Replaced) -> str:
    if replaced.new_public is None:
        return f"build {replaced.old} into none any more; those in the field boot what it signs"
    public = shlex.quote(str(replaced.new_public))
    export = f"audit keys export {public} --as mcuboot-c"
    return f"build {replaced.new} into them ({export}); until then they boot what {replaced.old} signs"
