from __future__ import annotations

from typing import Any

import pytest

from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.verify import verify


def rejection(image: bytes, **given: Any) -> RejectedError:
    """How `verify` rejects an image; the error says where."""
    with pytest.raises(RejectedError) as caught:
        verify(image, **given)
    assert caught.value.where is not None
    return caught.value


def rejects(image: bytes, **given: Any) -> str:
    return rejection(image, **given).code
