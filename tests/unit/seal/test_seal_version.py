from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imgtool.version import decode_version

from audit_pipeline.errors import InputError
from audit_pipeline.seal.version import ImageVersion

U8, U16, U32 = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF)


@given(U8, U8, U16, U32)
def test_a_version_reads_back_from_its_text_as_imgtool_reads_it(
    major: int, minor: int, revision: int, build: int
) -> None:
    version = ImageVersion(major, minor, revision, build)
    assert ImageVersion.parse(str(version)) == version
    assert decode_version(str(version)) == (major, minor, revision, build)


@pytest.mark.parametrize(
    "text", ["", "1", "1.4", "01.4.0", "1.4.0+", "1.4.0\n", "1.4.0-rc1", "v1.4.0", "1.4.0+7+8", "١.4.0"]
)
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        ImageVersion.parse(text)
    assert caught.value.code == "seal.version-form"


@pytest.mark.parametrize("text", ["256.0.0", "0.256.0", "0.0.65536", "0.0.0+4294967296"])
def test_a_part_that_its_field_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        ImageVersion.parse(text)
    assert caught.value.code == "seal.version-range"
