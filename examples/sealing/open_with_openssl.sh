#!/usr/bin/env bash
# Verifies and opens a sealed image with OpenSSL 3, od and head: the format of signing/README.md, made a second time.
# For images with Ed25519, X25519 and AES-128. To be read, not to be used: keys stand in arguments here, where other
# users of the machine can see them.
#
#   open_with_openssl.sh IMAGE SIGNER.pub.pem DEVICE.pem MODEL     the device's key as PKCS#8, passphrase in AUDIT_PASSPHRASE
set -euo pipefail
image=$1 signer=$2 device=$3 model=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

bytes() { tail -c "+$(($1 + 1))" "$image" | head -c "$2"; }
number() { bytes "$1" "$2" | od -An -v -tu1 | awk '{for (i = 1; i <= NF; i++) n += $i * 256 ^ (i - 1)} END {print n}'; }
hex() { od -An -v -tx1 | tr -d ' \n'; }
sha256() { openssl dgst -sha256 -binary "$@" | hex; }
same() { [ "$2" = "$3" ] && echo "$1" || { echo "NOT: $1"; exit 1; }; }

payload=$(number 12 4)
protected=$(number 10 2)
tlvs=$((32 + payload + protected)) # 0x10, 0x01, 0x24, 0x33 behind a head of four bytes

# The signature is over the hash that the image states.
bytes $((tlvs + 8)) 32 >"$work/hash"
bytes $((tlvs + 80)) 64 >"$work/signature"
openssl pkeyutl -verify -pubin -inkey "$signer" -rawin -in "$work/hash" -sigfile "$work/signature"
same 'the signing key is the one that TLV 0x01 names' \
  "$(openssl pkey -pubin -in "$signer" -outform DER | sha256)" "$(bytes $((tlvs + 44)) 32 | hex)"

# ECIES: X25519 with the ephemeral key, HKDF, then HMAC over the encrypted AES key.
wrapped=$((tlvs + 148))
{
  printf '\x30\x2a\x30\x05\x06\x03\x2b\x65\x6e\x03\x21\x00' # SubjectPublicKeyInfo of an X25519 key (RFC 8410)
  bytes $wrapped 32
} | openssl pkey -pubin -inform DER -out "$work/ephemeral.pem"
shared=$(openssl pkeyutl -derive -inkey "$device" -passin env:AUDIT_PASSPHRASE -peerkey "$work/ephemeral.pem" | hex)
keys=$(openssl kdf -keylen 48 -kdfopt digest:SHA256 -kdfopt "hexkey:$shared" -kdfopt info:MCUBoot_ECIES_v1 -binary HKDF | hex)
zeros=00000000000000000000000000000000
same 'the AES key was wrapped for this device' \
  "$(bytes $((wrapped + 64)) 16 | openssl mac -digest SHA256 -macopt "hexkey:${keys:32}" -binary HMAC | hex)" \
  "$(bytes $((wrapped + 32)) 32 | hex)"
aes=$(bytes $((wrapped + 64)) 16 | openssl enc -aes-128-ctr -K "${keys:0:32}" -iv $zeros | hex)

# With the plain payload the hash can be computed again.
bytes 32 "$payload" | openssl enc -aes-128-ctr -K "$aes" -iv $zeros >"$work/plain"
same 'header, decrypted payload and protected TLVs have that hash' \
  "$({ bytes 0 32; cat "$work/plain"; bytes $((32 + payload)) "$protected"; } | sha256)" "$(hex <"$work/hash")"

# 0xA1 stands before 0xA2 (36 bytes) and 0xA3 (44), at the end of the protected area.
a1=$((tlvs - 44 - 36 - 40))
head -c "$(number $((a1 + 4)) 4)" "$work/plain" >"$model"
same 'the model is the one that TLV 0xA1 names' "$(sha256 "$model")" "$(bytes $((a1 + 8)) 32 | hex)"
