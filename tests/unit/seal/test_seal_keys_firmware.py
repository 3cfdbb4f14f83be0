"""Firmware made of exported keys and the device's verifier opens what was sealed for it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from device_verifier import SOURCE, lacking_for_host
from sealed_samples import Sealed, seal_model

from audit_pipeline.seal.keys.forms import KeyKind
from audit_pipeline.seal.keys.key_export import export_private, export_public

MAIN = """
#include <stdio.h>

uint32_t stored_counter(void) { return 0; }
void store_counter(uint32_t counter) { (void)counter; }
int random_bytes(void *state, unsigned char *to, size_t bytes) {
    (void)state;
    for (size_t i = 0; i < bytes; i++) to[i] = (unsigned char)(i * 7 + 1);
    return 0;
}

int main(void) {
    static uint8_t image[65536];
    size_t size = fread(image, 1, sizeof image, stdin), bytes = 0;
    const uint8_t *opened = load_model(image, size, &bytes);
    return opened == NULL || fwrite(opened, 1, bytes, stdout) != bytes;
}
"""
"""What the example in signing/device/README.md leaves to whoever has the device."""


def firmware(folder: Path, sealed: Sealed, recipient: KeyKind) -> Path:
    """The README's example, the exported keys and the verifier, linked into one program."""
    example = re.search(r"```c\n(.*?)```", (SOURCE / "README.md").read_text(), re.DOTALL)
    assert example is not None
    code = example[1]
    public = export_public(sealed.signer.public, "c")
    (size,) = re.findall(rb"audit_public_key\[(\d+)\]", public)
    code = re.sub(r"audit_public_key\[\d+\]", f"audit_public_key[{size.decode()}]", code)
    if recipient == "p256":
        code = code.replace("AUDIT_X25519", "AUDIT_P256")
    (folder / "main.c").write_text(code + MAIN)
    (folder / "signer_key.c").write_bytes(public)
    (folder / "device_key.c").write_bytes(export_private(sealed.recipient, "c", b"unused"))
    sources = [*folder.glob("*.c"), *SOURCE.glob("audit_*.c"), SOURCE / "host" / "port_sodium.c"]
    command = ["gcc", "-std=c99", "-D_DEFAULT_SOURCE", "-Wall", "-Wextra", "-Werror", "-I", SOURCE, *sources]
    libraries = ["-lmbedcrypto", "-lsodium"]
    subprocess.run([*command, "-o", folder / "firmware", *libraries], check=True)
    return folder / "firmware"


@pytest.mark.skipif(lacking_for_host() is not None, reason=lacking_for_host() or "")
@pytest.mark.parametrize(("signer", "recipient"), [("ed25519", "x25519"), ("p256", "p256")])
def test_firmware_with_exported_keys_opens_its_image_and_no_other(
    tmp_path: Path, signer: KeyKind, recipient: KeyKind
) -> None:
    sealed, other = (seal_model(300, signer_kind=signer, recipient_kind=recipient, seed=seed) for seed in (1, 2))
    program = firmware(tmp_path, sealed, recipient)
    opened = subprocess.run([program], input=sealed.image, capture_output=True, check=False)
    assert (opened.returncode, opened.stdout) == (0, sealed.model)
    refused = subprocess.run([program], input=other.image, capture_output=True, check=False)
    assert (refused.returncode, refused.stdout) == (1, b"")
