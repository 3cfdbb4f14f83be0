#!/usr/bin/env bash
# Verifies one key's signature in a DSSE envelope with OpenSSL 3, and writes the payload: a verdict, a release, a waiver
# or a trust file.
#
#   envelope_with_openssl.sh ENVELOPE.dsse.json SIGNER.pub.pem PAYLOAD
set -euo pipefail
envelope=$1 signer=$2 payload=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What was signed is "DSSEv1", then type and payload, each behind its length (protocol.md of github.com/secure-systems-lab/dsse).
python3 - "$envelope" "$work" "$payload" <<'PYTHON'
import base64, json, pathlib, sys

envelope, work = json.loads(pathlib.Path(sys.argv[1]).read_bytes()), pathlib.Path(sys.argv[2])
payload, kind = base64.b64decode(envelope["payload"], validate=True), envelope["payloadType"].encode()
(work / "signed").write_bytes(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
for number, signature in enumerate(envelope["signatures"]):
    (work / f"{number}.signature").write_bytes(base64.b64decode(signature["sig"], validate=True))
pathlib.Path(sys.argv[3]).write_bytes(payload)
PYTHON

digest=()
if ! openssl pkey -pubin -in "$signer" -noout -text | grep -q ED25519; then digest=(-digest sha256); fi
for signature in "$work"/*.signature; do
  if openssl pkeyutl -verify -pubin -inkey "$signer" -rawin "${digest[@]}" -in "$work/signed" -sigfile "$signature" \
    >/dev/null 2>&1; then
    echo "signed by $signer: SHA-256 $(openssl dgst -sha256 -r "$payload" | cut -d' ' -f1)"
    exit 0
  fi
done
rm -f "$payload"
echo "not signed by $signer"
exit 1
