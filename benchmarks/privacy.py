"""Whether the privacy audit finds the leaks that are there, and none where there is none."""

from __future__ import annotations

from benchmarks import (
    privacy_adult,
    privacy_blob,
    privacy_canaries,
    privacy_ecg,
    privacy_mitigation,
    privacy_null,
    privacy_roc,
)
from benchmarks.table import conclude


def main() -> None:
    """Attack models with and without a leak, and print the table; what needs TensorFlow comes last."""
    parts = (
        *(privacy_roc, privacy_null, privacy_canaries, privacy_blob),
        *(privacy_adult, privacy_mitigation, privacy_ecg),
    )
    conclude("privacy", [row for part in parts for row in part.rows()])


if __name__ == "__main__":
    main()
