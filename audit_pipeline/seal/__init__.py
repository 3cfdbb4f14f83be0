"""Seal a model: an MCUboot image that is signed and encrypted, and the attestations that bind it to its audit.

Keys: `keys`, `key_file` and `pkcs11` give a `signer`; `quorum` counts signatures, `trust` says whose count.
The image: `settings` say what goes in, `image` builds, `parse` and `profile` read, `decrypt` opens, `verify` judges,
`describe` shows.
Attestations: a `statement` in a `dsse` envelope; `waiver`, `svr` and `model_signing` beside verdict and release.

Nothing here imports TensorFlow, and only `imgtool_image` imports imgtool.
"""
