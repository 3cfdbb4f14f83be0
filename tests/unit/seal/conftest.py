from __future__ import annotations

import pytest
from sealed_samples import Sealed, seal_model


@pytest.fixture(scope="session")
def small() -> Sealed:
    """A sealed model of 64 bytes: four whole blocks, an image of 448 bytes."""
    return seal_model(64)
