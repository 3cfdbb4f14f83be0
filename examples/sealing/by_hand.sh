#!/usr/bin/env bash
# Everything that README.md shows, in an empty folder: by_hand.sh FOLDER
# Needs `audit` and its Python on the PATH, and OpenSSL 3. Each command is printed, run, and must end with the exit code
# that stands before it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir "$1"
cd "$1"
export AUDIT_PASSPHRASE='only for this example' COLUMNS=100 NO_COLOR=1 PYTHONWARNINGS=ignore
cp "$here"/{seal_by_hand.py,read_attestations.py,open_with_openssl.sh,envelope_with_openssl.sh,pkcs11.sh} .

run() {
  local code=0
  printf '$ %s\n' "$2"
  eval "$2" 2>&1 || code=$?
  if [ "$code" != 0 ]; then echo "exit code $code"; fi
  if [ "$code" != "$1" ]; then
    echo "by_hand.sh: exit code $1 was expected" >&2
    exit 1
  fi
}
part() { printf '\n## %s\n\n' "$1"; }
flip() { python -c 'import pathlib, sys; p = pathlib.Path(sys.argv[1]); b = bytearray(p.read_bytes()); b[int(sys.argv[2])] ^= 1; p.write_bytes(b)' "$@"; }

part 'Keys'
run 0 'audit keys new release'
run 0 'audit keys new device --kind x25519 >/dev/null'
run 0 'audit keys new model --kind p256 >/dev/null'
run 0 'audit keys new root-a >/dev/null && audit keys new root-b >/dev/null'
run 0 'head -1 release.key.pem && stat -c %a release.key.pem'
run 0 'audit keys fingerprint release.pub.pem'
run 0 'openssl pkey -pubin -in release.pub.pem -outform DER | sha256sum'

part 'Whom to trust'
run 0 'audit keys trust init trust.yaml --name by-hand --expires 2099-01-01T00:00:00Z --root root-a.pub.pem --root root-b.pub.pem --image release.pub.pem --verdict release.pub.pem --release release.pub.pem'
run 0 'audit keys trust sign trust.yaml --key root-a.key.pem'
run 0 'audit keys trust sign trust.yaml --key root-b.key.pem'
run 0 'audit keys list --trust trust.yaml'

part 'Sealing'
run 0 'seq 1 700 >model.tflite && printf "version: 1\nname: by-hand\n" >policy.yaml'
run 0 'python seal_by_hand.py run-7 --counter 7'
run 0 'python seal_by_hand.py run-8 --counter 8 --version 1.4.1'
run 2 'python seal_by_hand.py run-8-again --counter 8'
run 0 'ls run-8'
run 0 'audit inspect run-8/firmware.bin'

part 'Verifying'
run 0 'mkdir alone && cp run-8/firmware.bin alone/'
run 3 'audit verify alone/firmware.bin --signer release.pub.pem'
run 0 'audit verify run-8/firmware.bin --trust trust.yaml --root root-a.pub.pem --root root-b.pub.pem'
run 0 'audit verify run-8/firmware.bin --signer release.pub.pem --recipient device.key.pem'

part 'What is refused'
cp -r run-8 altered
run 0 'flip altered/firmware.bin 100'
run 1 'audit verify altered/firmware.bin --signer release.pub.pem'
run 0 'mkdir altered-alone && cp altered/firmware.bin altered-alone/'
run 3 'audit verify altered-alone/firmware.bin --signer release.pub.pem'
run 1 'audit verify altered-alone/firmware.bin --signer release.pub.pem --recipient device.key.pem'
run 0 'printf x | cat run-8/firmware.bin - >longer.bin'
run 1 'audit verify longer.bin --signer release.pub.pem'
run 1 'audit verify run-7/firmware.bin --signer release.pub.pem --release run-8/release.dsse.json'
run 1 'audit verify run-8/firmware.bin --signer model.pub.pem'
run 0 'audit keys new another --kind x25519 >/dev/null'
run 1 'audit verify run-8/firmware.bin --signer release.pub.pem --recipient another.key.pem'
run 1 'audit verify run-8/firmware.bin --trust trust.yaml --root release.pub.pem'

part 'Without audit'
run 0 'imgtool dumpinfo run-8/firmware.bin | grep -E "type|flags"'
run 0 'audit keys export device.key.pem --private --as pem --out device.pem 2>/dev/null'
run 0 'bash open_with_openssl.sh run-8/firmware.bin release.pub.pem device.pem opened.tflite'
run 0 'cmp opened.tflite model.tflite'
run 0 'bash envelope_with_openssl.sh run-8/verdict.dsse.json release.pub.pem verdict.json'
run 0 'bash envelope_with_openssl.sh trust.dsse.json root-a.pub.pem trusted.yaml && cmp trusted.yaml trust.yaml'
run 1 'bash envelope_with_openssl.sh trust.dsse.json release.pub.pem trusted-by-nobody.yaml'
if python -c 'import in_toto_attestation, model_signing' 2>/dev/null; then
  run 0 'python read_attestations.py run-8 release.pub.pem'
  run 0 'model_signing verify key run-8/model.tflite --signature run-8/model.sig --public_key model.pub.pem'
else
  echo 'left out: in-toto-attestation and model-signing are not installed'
fi

part 'On the device'
if printf '#include <mbedtls/ecp.h>\n#include <sodium.h>\n' | cc -E - >/dev/null 2>&1; then
  cp -r "$here/../../signing/device" device-c
  run 0 'make -s -C device-c'
  run 0 'audit keys export release.pub.pem --as der --out release.der'
  run 0 'openssl pkey -in device.pem -passin env:AUDIT_PASSPHRASE -outform DER | tail -c 32 >device.raw'
  run 0 'device-c/build/audit-image run-8/firmware.bin --signer release.der --x25519 device.raw --least-counter 8 --out on-the-device.tflite'
  run 0 'cmp on-the-device.tflite model.tflite'
  run 1 'device-c/build/audit-image run-7/firmware.bin --signer release.der --x25519 device.raw --least-counter 8'
  run 1 'device-c/build/audit-image altered-alone/firmware.bin --signer release.der --x25519 device.raw'
else
  echo 'left out: needs a C compiler, libmbedtls-dev and libsodium-dev'
fi

part 'A key is stolen'
run 0 'mkdir yesterday && cp trust.yaml trust.dsse.json yesterday/'
run 0 'audit keys new release-2 >/dev/null'
run 0 'audit keys rotate release --to release-2.pub.pem --reason "left on a train" --trust trust.yaml'
run 1 'audit verify run-8/firmware.bin --trust trust.yaml --root root-a.pub.pem --root root-b.pub.pem'
run 0 'for root in root-a root-b; do audit keys trust sign trust.yaml --key $root.key.pem >/dev/null; done'
run 1 'audit verify run-8/firmware.bin --trust trust.yaml --root root-a.pub.pem --root root-b.pub.pem'
run 1 'audit verify run-8/firmware.bin --trust yesterday/trust.yaml --root root-a.pub.pem --root root-b.pub.pem --trail audit.db'
run 0 'audit log verify --trail audit.db'

part 'A key in a token'
if command -v softhsm2-util >/dev/null && python -c 'import pkcs11' 2>/dev/null; then
  run 0 'bash pkcs11.sh token'
else
  echo 'left out: needs softhsm2 and python-pkcs11'
fi
