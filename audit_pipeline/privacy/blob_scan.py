"""The search of the exact bytes that ship for what should not leave the house.

What is found is told by kind, part, offset and length, never by content: the evidence must not become the leak.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from audit_pipeline.data.population import Split
from audit_pipeline.errors import InputError
from audit_pipeline.privacy.opened.by_content import sections_of
from audit_pipeline.privacy.opened.section import Section
from audit_pipeline.privacy.texts import find_texts
from audit_pipeline.privacy.trailing import find_trailing
from audit_pipeline.privacy.training_constants import find_constants
from audit_pipeline.privacy.training_rows import RowSearch, find_rows
from audit_pipeline.privacy_part import BlobHit, BlobScan
from audit_pipeline.tflite import Tensor

MAX_FILE_BYTES = 1 << 30
"""Largest file that `scan_file` reads; a microcontroller's flash is a hundredth of it."""


def scan(tflite: bytes, train: Split | None, inputs: Sequence[Tensor]) -> BlobScan:
    """Search a .tflite for training rows, paths, hosts, e-mail addresses, secrets and trailing bytes.

    Args:
        tflite: the file.
        train: the training split; None where there is none, then no rows are looked for.
        inputs: the model's inputs, int8 or int16, in order; none where they are float.
    """
    return scan_bytes("model.tflite", tflite, train, inputs)


def scan_file(path: Path, train: Split | None = None, inputs: Sequence[Tensor] = ()) -> BlobScan:
    """Search any file of a release: a source model, a firmware image; see `scan_bytes`.

    Raises:
        InputError: `privacy.file`: it cannot be read, is no file or is too large.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            what = f"the file is larger than {MAX_FILE_BYTES >> 20} MiB"
            raise InputError(
                "privacy.file", what, where=str(path), hint="search the model and the image, not an archive"
            )
        data = path.read_bytes()
    except OSError as error:
        what = f"the file cannot be read ({error.strerror or error})"
        raise InputError(
            "privacy.file", what, where=str(path), hint="name a file that exists and may be read"
        ) from error
    return scan_bytes(path.name, data, train, inputs)


def scan_bytes(name: str, data: bytes, train: Split | None = None, inputs: Sequence[Tensor] = ()) -> BlobScan:
    """Search a .tflite, .h5, .keras, MCUboot image or any other file, as its first bytes say.

    Of an encrypted image header, TLVs and what lies behind them are searched: all that can be read without the key.

    Args:
        name: what the file is called in finds.
        data: the file.
        train: as for `scan`.
        inputs: as for `scan`; the entrances of the device's model where another file than that is searched.
    """
    sections = sections_of(name, data)
    rows = RowSearch((), 0, ())
    constants: tuple[BlobHit, ...] = ()
    if train is not None and len(train):
        rows = find_rows(sections, train.x, inputs)
        constants = find_constants(sections, train.x)
    return BlobScan(
        scanned_bytes=sum(len(section.data) for section in sections),
        training_rows=rows.searched_rows,
        encodings=rows.encodings,
        hits=(*rows.hits, *constants, *(hit for section in sections for hit in _beside_rows(section))),
    )


def together(scans: Sequence[BlobScan]) -> BlobScan:
    """What several files of one release gave, as one."""
    return BlobScan(
        scanned_bytes=sum(each.scanned_bytes for each in scans),
        training_rows=max((each.training_rows for each in scans), default=0),
        encodings=tuple(dict.fromkeys(name for each in scans for name in each.encodings)),
        hits=tuple(hit for each in scans for hit in each.hits),
    )


def _floats(section: Section) -> list[tuple[int, int]]:
    """Where tensors of float32 begin and end in a section."""
    found = (each for each in section.constants if each.contiguous and each.values.dtype == np.dtype("<f4"))
    return sorted((each.offset, each.offset + each.values.nbytes) for each in found)


def _beside_rows(section: Section) -> tuple[BlobHit, ...]:
    texts = (
        hit.model_copy(update={"offset": section.base + hit.offset, "where": section.where(hit.offset)})
        for hit in find_texts(section.data, _floats(section))
    )
    return (*texts, *find_trailing(section))
