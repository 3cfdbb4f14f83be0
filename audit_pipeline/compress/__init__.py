"""Stage 4: from the source model to the bytes that are meant to run on the device."""
