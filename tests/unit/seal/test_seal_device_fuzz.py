from __future__ import annotations

import pytest
from device_verifier import DeviceVerifier, Opening, build_verifier, lacking_for_host
from handmade_image import Handmade, handmade
from sealed_samples import COMBINATIONS

LACKING = lacking_for_host()
pytestmark = pytest.mark.skipif(LACKING is not None, reason=LACKING or "")


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> DeviceVerifier:
    """Built under AddressSanitizer and UndefinedBehaviorSanitizer, which end the program at their first finding."""
    return build_verifier(tmp_path_factory.mktemp("checked"), sanitized=True)


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> DeviceVerifier:
    return build_verifier(tmp_path_factory.mktemp("device"))


def opening(made: Handmade) -> Opening:
    return Opening(made.image(), made.signer.public_key(), made.recipient)


DAILY = {("ed25519", "x25519", 256), ("ed25519", "p256", 128), ("p256", "x25519", 128)}
"""Every kind of signature, of recipient and of AES; a signature of P-256 is slow to check."""


@pytest.mark.parametrize(
    ("signs", "receives", "aes_bits"),
    [pytest.param(*each, marks=[] if each in DAILY else [pytest.mark.bench]) for each in COMBINATIONS],
)
def test_no_altered_bit_and_no_truncation_opens(
    checked: DeviceVerifier, signs: str, receives: str, aes_bits: int
) -> None:
    """All eight combinations by `make bench-tests`."""
    given = opening(handmade(signs, receives, aes_bits))
    flips, cuts = checked.fuzz(given, "flips"), checked.fuzz(given, "truncations")
    assert "ok" not in flips | cuts
    assert (sum(flips.values()), sum(cuts.values())) == (8 * len(given.image), len(given.image))


@pytest.mark.parametrize(
    ("signs", "receives", "mutations"),
    [
        ("ed25519", "x25519", 10_000),
        ("ed25519", "p256", 10_000),
        ("p256", "x25519", 5_000),
        ("p256", "p256", 5_000),
        pytest.param("ed25519", "x25519", 50_000, marks=pytest.mark.bench),
        pytest.param("ed25519", "p256", 40_000, marks=pytest.mark.bench),
    ],
)
def test_no_random_mutation_opens_or_makes_a_sanitizer_complain(
    checked: DeviceVerifier, signs: str, receives: str, mutations: int
) -> None:
    """Thirty thousand every day; another ninety thousand by `make bench-tests`."""
    statuses = checked.fuzz(opening(handmade(signs, receives)), str(mutations), seed=mutations)
    assert sum(statuses.values()) == mutations
    # Some rounds undo themselves; the program itself fails where anything but the image opens.
    assert statuses.pop("ok") < mutations / 100
    assert len(statuses) > 15 and statuses["device.capacity"] > 10


@pytest.mark.parametrize("signs", ["ed25519", "p256"])
@pytest.mark.parametrize("receives", ["x25519", "p256"])
def test_whatever_allocation_fails_the_image_does_not_open(device: DeviceVerifier, signs: str, receives: str) -> None:
    statuses = device.fuzz(opening(handmade(signs, receives)), "memory")
    assert statuses.pop("ok") == 1
    assert set(statuses) == {"device.crypto"}
    assert statuses["device.crypto"] > 100
