"""How long a model of 300 kB takes to seal and to verify, in a process of its own that never loads TensorFlow."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.seal.image import build
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.settings import Binding
from audit_pipeline.seal.verify import Companions, Trust, verify
from benchmarks.seal_material import P256, USUAL, Suite, ship
from benchmarks.table import Row

_MODEL_BYTES = 300_000
_REPEATS = 31
_SUITES = {"usual": USUAL, "p256": P256}


def rows() -> list[Row]:
    """Medians for Ed25519 with X25519, and for P-256 alone."""
    return [row for name, suite in _SUITES.items() for row in _rows(name, suite)]


def main() -> None:
    """Print the medians of one choice of algorithms, in milliseconds: what the process of its own does."""
    print(json.dumps(_medians(_SUITES[sys.argv[1]])))
    if "tensorflow" in sys.modules:
        raise SystemExit("TensorFlow was loaded")


def _rows(name: str, suite: Suite) -> list[Row]:
    process = subprocess.run([sys.executable, "-m", __name__, name], check=True, stdout=subprocess.PIPE, text=True)
    sealing, verifying = json.loads(process.stdout)
    return [
        Row(f"seal 300 kB, {suite}", sealing, "ms", at_most=50),
        Row(f"verify it with public keys and release, {suite}", verifying, "ms", at_most=50),
    ]


def _medians(suite: Suite) -> tuple[float, float]:
    run = ship(suite, Signer.of(suite.signing_key()), suite.device_key(), size=_MODEL_BYTES)
    trust, companions = Trust.one(run.signer.public), Companions(release=run.release)
    binding = Binding(sha256_hex(run.verdict), sha256_hex(run.policy), 9, sha256_hex(b"log"))
    recipient = run.recipient.public_key()

    def seal() -> object:
        return build(run.model, signer=run.signer, recipient=recipient, settings=run.settings, binding=binding)

    return _median(seal), _median(lambda: verify(run.image, trust=trust, companions=companions))


def _median(call: Callable[[], object]) -> float:
    """Of many calls, in milliseconds."""
    times = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


if __name__ == "__main__":
    main()
