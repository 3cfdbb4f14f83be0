"""The search of the exact bytes that ship for what should not leave the house.

What is found is told by kind, offset and length, never by content: the evidence must not become the leak.
"""

from __future__ import annotations

from collections.abc import Sequence

from audit_pipeline.data.population import Split
from audit_pipeline.privacy.texts import find_texts
from audit_pipeline.privacy.trailing import find_trailing
from audit_pipeline.privacy.training_rows import RowSearch, find_rows
from audit_pipeline.privacy_part import BlobScan
from audit_pipeline.tflite import Tensor


def scan(tflite: bytes, train: Split | None, inputs: Sequence[Tensor]) -> BlobScan:
    """Search a .tflite for training rows, paths, e-mail addresses, secrets and trailing bytes.

    Args:
        tflite: the file.
        train: the training split; None where there is none, then no rows are looked for.
        inputs: the model's inputs, int8 or int16, in order; none where they are float.
    """
    rows = RowSearch((), 0, ())
    if train is not None and len(train):
        rows = find_rows(tflite, train.x, inputs)
    return BlobScan(
        scanned_bytes=len(tflite),
        training_rows=rows.searched_rows,
        encodings=rows.encodings,
        hits=(*rows.hits, *find_texts(tflite), *find_trailing(tflite)),
    )
