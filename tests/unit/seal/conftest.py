from __future__ import annotations

import pytest
from sealed_samples import FULL, Sealed, sample, seal_model


@pytest.fixture(scope="session")
def small() -> Sealed:
    """A sealed model of 64 bytes, Ed25519 and ECIES-X25519 with AES-128: four whole blocks, an image of 492 bytes."""
    return sample()


@pytest.fixture(scope="session")
def full() -> Sealed:
    """As `small`, with dependency, vendor and device class."""
    return seal_model(64, settings=FULL)


@pytest.fixture(scope="session")
def p256() -> Sealed:
    """As `small`, with P-256 keys for both roles and AES-256."""
    return sample("p256", "p256", 256)
