"""Seal a model: an MCUboot image that is signed and encrypted, and the attestations that bind it to its audit.

`keys` makes and loads keys, `image` builds, `parse` and `profile` read, `verify` judges, `describe` shows; `statement`
and `dsse` are the attestations. Nothing here imports TensorFlow, and only `image` imports imgtool.
"""
