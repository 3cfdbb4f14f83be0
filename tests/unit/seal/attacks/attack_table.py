"""The catalogue as a page: each attack beside what our verifier and imgtool say of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from attack import IMAGE_VIEWS, Attack, View, judge, refusal
from catalogue import FAMILIES
from genuine import Genuine
from imgtool_answer import imgtool_answer
from shipped import USUAL, ship

from audit_pipeline.seal.keys.signer import Signer

_NONE = "–"
_FLIPPED_MODEL_BYTES = 16
_SHORT = {View.ALONE: "alone", View.ATTESTED: "attested", View.DEVICE: "device", View.FULL: "full"}

_TEXT = """\
# Attacks on the sealed image

Written by `python -m benchmarks.seal_attacks` from `tests/unit/seal/attacks/`, where each attack is a function and a
test of its own. Another test keeps this page up to date.

{attacks} attacks, {refused} refused, each with the code in the table.

**Who.** Everybody has every public key, every image ever released, and all that belongs to it. *No key*: nothing
else. *Another maker's key* signs, though nobody here trusts it. *The device's key* was taken out of a chip. *A former
key* was rotated out or revoked. *One trusted key* belongs to an insider, or to somebody who was talked into a
signature.

**Refused by.** *Alone*: `audit verify` with public keys and the image. *Attested*: with release, verdict, policy and
model, too. *Device*: with the device's private key and no attestation. *Full*: with all of it. What only *alone* lets
pass is what MCUboot hashes in plain, which nobody can check without a secret or a signature over the whole file;
`audit verify` then says that the release was not checked. What *attested* lets pass is an insider's image, rightly
signed and released, and wrong inside. What *device* lets pass is a genuine image with something wrong beside it, or
the same content wrapped otherwise.

**imgtool** is `imgtool verify` of the same file with the maker's key. It has no way to decrypt, and says `invalid
hash` of every genuine encrypted image, too. So **decrypted** is its answer to the file with the payload decrypted in
place, as a device would look at it; there every genuine image is `OK`. A dash: the image is genuine, and the attack
is in what lies beside it, of which imgtool knows nothing.

imgtool, as it is: {plain}. Decrypted: {clear}."""

_BITS = f"""\
## Every bit

How many of an image's bits can be inverted, one at a time, so that each view refuses; {USUAL}, a model of
{_FLIPPED_MODEL_BYTES} bytes. What *alone* lets pass is what only the hash of the plain image covers: the payload, the
values of protected TLVs, the version, and the wrapped key. The larger the model, the smaller the share that it refuses.
`make bench-seal` inverts every bit of larger images in all eight choices of algorithms, *attested*.
"""


@dataclass(frozen=True)
class Line:
    """One attack and every answer to it."""

    attack: Attack
    codes: dict[View, str | None]
    as_it_is: str
    """imgtool's answer to the file that is presented; none where the image in it is genuine."""
    decrypted: str
    """imgtool's answer to the same with its payload decrypted in place."""

    @property
    def refused_by(self) -> str:
        """Which views refuse."""
        if self.attack.view not in IMAGE_VIEWS:
            return self.attack.view
        views = [_SHORT[view] for view in IMAGE_VIEWS if self.codes[view]]
        return "every view" if len(views) == len(IMAGE_VIEWS) else ", ".join(views)

    @property
    def code(self) -> str:
        """The code in the first view that refuses; the word `passes` where none does."""
        return self.codes[self.attack.view] or "passes"


def lines() -> list[Line]:
    """All attacks, tried."""
    return [_line(attack) for family in FAMILIES for attack in family.attacks]


def page(found: list[Line]) -> str:
    """The page in Markdown, without what is drawn at random in it."""
    return "\n".join([_introduction(found), *_tables(found), "", *_bits()]) + "\n"


def _line(attack: Attack) -> Line:
    genuine = Genuine.of(attack.suite)
    shown = attack.present(genuine)
    answers = (_NONE, _NONE)
    if not callable(shown) and shown.image != genuine.run.image:
        key = genuine.run.signer.public
        answers = (imgtool_answer(shown.image, key), imgtool_answer(genuine.clear(shown.image), key))
    return Line(attack, attack.meets(genuine), *answers)


def _introduction(found: list[Line]) -> str:
    plain = Counter(line.as_it_is for line in found if line.as_it_is != _NONE)
    clear = Counter(line.decrypted for line in found if line.decrypted != _NONE)
    refused = sum(line.code == line.attack.code for line in found)
    return _TEXT.format(attacks=len(found), refused=refused, plain=_tally(plain), clear=_tally(clear))


def _tally(answers: Counter[str]) -> str:
    return ", ".join(f"{answer} {count}" for answer, count in answers.most_common())


def _tables(found: list[Line]) -> Iterator[str]:
    for family in FAMILIES:
        yield ""
        yield f"## {family.name[0].upper()}{family.name[1:]}"
        yield ""
        yield "| attack | what for | who | refused by | our code | imgtool | decrypted |"
        yield "|---|---|---|---|---|---|---|"
        for line in found:
            if line.attack.family == family.name:
                yield _row(line)


def _bits() -> Iterator[str]:
    """What each view makes of every single bit."""
    run = ship(USUAL, Signer.of(USUAL.signing_key()), USUAL.device_key(), size=_FLIPPED_MODEL_BYTES)
    shown = replace(Genuine.of(USUAL), run=run).shows()
    images = [_flipped(run.image, bit) for bit in range(8 * len(run.image))]
    yield _BITS
    yield f"| of {len(images):,} bits | refused |"
    yield "|---|---|"
    for view in IMAGE_VIEWS:
        refused = sum(refusal(partial(judge, shown.but(image=image), view)) is not None for image in images)
        yield f"| {_SHORT[view]} | {refused:,} |"


def _flipped(image: bytes, bit: int) -> bytes:
    changed = bytearray(image)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _row(line: Line) -> str:
    attack = line.attack
    cells = (
        attack.name if attack.suite == USUAL else f"{attack.name} ({attack.suite})",
        attack.hope,
        attack.attacker,
        line.refused_by,
        f"`{line.code}`",
        line.as_it_is,
        line.decrypted,
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
