#!/usr/bin/env bash
# A signing key that never leaves its token: pkcs11.sh FOLDER
#
# SoftHSM stands for the token; with a smart card or an HSM only the module's path and the making of the key differ.
# Needs softhsm2-util, OpenSSL, `audit` and its Python on the PATH, and pip install 'audit-pipeline[pkcs11]'.
set -euo pipefail
mkdir "$1"
cd "$1"

module=${PKCS11_MODULE:-/usr/lib/softhsm/libsofthsm2.so}
uri="pkcs11:token=audit;object=release?module-path=$module"
export SOFTHSM2_CONF=$PWD/softhsm2.conf
export AUDIT_PASSPHRASE=${AUDIT_PASSPHRASE:-83920174} # the PIN comes by the same way as a passphrase, never in the URI

echo '# a token, and a P-256 key pair that is made inside it and may not be taken out'
mkdir tokens
printf 'directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n' "$PWD" >softhsm2.conf
softhsm2-util --init-token --free --label audit --so-pin 50617283 --pin "$AUDIT_PASSPHRASE" >/dev/null
MODULE=$module python - <<'PYTHON'
import os
import pkcs11
from pkcs11 import Attribute, KeyType
from pkcs11.util.ec import encode_named_curve_parameters

token = pkcs11.lib(os.environ["MODULE"]).get_token(token_label="audit")
with token.open(rw=True, user_pin=os.environ["AUDIT_PASSPHRASE"]) as session:
    curve = {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
    parameters = session.create_domain_parameters(KeyType.EC, curve, local=True)
    kept = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
    parameters.generate_keypair(store=True, label="release", id=b"\x01", private_template=kept)
PYTHON

echo '# its public half, for --signer, a trust file or a bootloader; no PIN is needed'
audit keys export "$uri" --out release.pub.pem
audit keys fingerprint "$uri"
audit keys fingerprint release.pub.pem

echo '# the token signs, OpenSSL verifies'
echo 'to be signed' >message
URI=$uri python - <<'PYTHON'
import os
from pathlib import Path
from audit_pipeline.seal.keys.load import load_signer

signer = load_signer(os.environ["URI"], os.environb[b"AUDIT_PASSPHRASE"])
Path("message.sig").write_bytes(signer.sign(Path("message").read_bytes()))
PYTHON
openssl dgst -sha256 -verify release.pub.pem -signature message.sig message

echo '# in a policy'
printf 'seal:\n  signer: "%s"\n' "$uri"
