"""A witness that serves on loopback, and a log that it knows."""

from __future__ import annotations

import threading
from contextlib import contextmanager

from grown_log import GrownLog

from audit_pipeline.trail.note_key import COSIGNATURE, NoteSigner
from audit_pipeline.trail.witness.client import ask_witness
from audit_pipeline.trail.witness.cosigner import Cosigner
from audit_pipeline.trail.witness.server import WitnessServer
from audit_pipeline.trail.witness.state import WitnessState

LOG = GrownLog()
WITNESS = NoteSigner.generate("example.com/w1", COSIGNATURE)


@contextmanager
def running(folder, report):
    with (
        WitnessState.open(folder, WITNESS.key) as state,
        WitnessServer(
            ("127.0.0.1", 0), Cosigner(WITNESS, [LOG.signer.key], state, lambda: 1679315147), report
        ) as opened,
    ):
        thread = threading.Thread(target=opened.serve_forever, args=(0.01,))
        thread.start()
        yield opened
        opened.shutdown()
        thread.join()


def url_of(server):
    return f"http://127.0.0.1:{server.server_address[1]}"


def ask(url, log, size, **more):
    return ask_witness(
        url, log.checkpoint(size), log.signer.key, lambda old: log.proof(old, size), keys=[WITNESS.key], **more
    )
