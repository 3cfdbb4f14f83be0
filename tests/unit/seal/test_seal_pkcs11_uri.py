"""`pkcs11:` URIs name a key without doubt, and never carry a PIN."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from key_samples import code_of

from audit_pipeline.errors import InputError
from audit_pipeline.seal.keys.load import load_signer
from audit_pipeline.seal.keys.pkcs11_uri import TokenKey, is_token_uri, parse_uri

MODULE = "module-path=/usr/lib/softhsm/libsofthsm2.so"


def test_a_uri_is_read_as_rfc_7512_writes_it() -> None:
    uri = f"pkcs11:token=Soft%20PKCS%2311;serial=4D;object=my-key;id=%69%95%3E;type=private?{MODULE}"
    module = Path("/usr/lib/softhsm/libsofthsm2.so")
    assert parse_uri(uri) == TokenKey(module, "Soft PKCS#11", "4D", "my-key", b"\x69\x95\x3e")


def test_messages_name_the_key_and_not_the_query() -> None:
    key = parse_uri(f"pkcs11:object=a%3Bb%0A;token=audit?{MODULE}")
    assert key.where == "pkcs11:token=audit;object=a%3Bb%0A"


@pytest.mark.parametrize(
    "uri",
    [
        f"pkcs11:token=audit;object=release?{MODULE}&pin-value=4711",
        f"pkcs11:token=audit;object=release?pin-value=4711&{MODULE}",
        f"pkcs11:token=audit;object=release;pin-value=4711?{MODULE}",
        "pkcs11:pin-value=4711",
        f"pkcs11:token=audit;object=release?{MODULE}&pin-source=file:/4711",
    ],
)
def test_a_pin_in_the_uri_is_refused_and_not_repeated(uri: str) -> None:
    with pytest.raises(InputError) as caught:
        load_signer(uri, b"1234")
    assert caught.value.code == "signer.uri-pin"
    assert "4711" not in str(caught.value.to_json())


@pytest.mark.parametrize(
    "uri",
    [
        "pkcs11:",
        "pkcs11:?",
        f"pkcs11:?{MODULE}",
        f"pkcs11:token=audit?{MODULE}",
        f"pkcs11:object=release?{MODULE}",
        f"pkcs11:token=;object=release?{MODULE}",
        f"pkcs11:token=audit;object=?{MODULE}",
        "pkcs11:token=audit;object=release",
        "pkcs11:token=audit;object=release?module-path=",
        "pkcs11:token=audit;object=release?module-path=lib.so",
        "pkcs11:token=audit;object=release?module-name=softhsm2",
        f"pkcs11:token=audit;object=release;object=other?{MODULE}",
        f"pkcs11:token=audit;object=release?{MODULE}&{MODULE}",
        f"pkcs11:token=audit;object=release;type=public?{MODULE}",
        f"pkcs11:token=audit;object=release;slot-id=1?{MODULE}",
        f"pkcs11:token=audit;object=%ff%fe?{MODULE}",
        f"pkcs11:token=audit;object=a%00b?{MODULE}",
        f"pkcs11:token=audit;;object=release?{MODULE}",
        f"pkcs11:token=audit;object={'x' * 5000}?{MODULE}",
    ],
)
def test_what_does_not_name_one_key_is_refused(uri: str) -> None:
    assert code_of(parse_uri, uri) == "signer.uri"


@given(st.text(max_size=80))
def test_no_text_gets_past_as_anything_but_a_key_or_an_input_error(text: str) -> None:
    try:
        parse_uri("pkcs11:" + text)
    except InputError as error:
        assert error.code in {"signer.uri", "signer.uri-pin"}


def test_a_path_is_no_uri() -> None:
    assert is_token_uri("pkcs11:token=audit")
    assert not is_token_uri(Path("keys/pkcs11.pem"))
    assert not is_token_uri("./pkcs11:token=audit")
