"""TensorFlow as this project runs it: Keras 2, repeatable, and quiet.

The only module that writes environment variables: TensorFlow reads these before its first import and offers no other
way. Everything that needs TensorFlow gets it from here.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_THREADS = 2


@contextmanager
def quiet() -> Iterator[None]:
    """Keep from the user what native libraries write to file descriptor 2, and Python's warnings.

    Python's own stderr still reaches the terminal, so a progress bar goes on. Not for use from several threads.
    """
    sys.stderr.flush()
    terminal, python_stderr = os.dup(2), sys.stderr
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), 2)
        with os.fdopen(os.dup(terminal), "w", buffering=1) as beside, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if _writes_to_descriptor_2(python_stderr):
                sys.stderr = beside
            yield
    finally:
        sys.stderr = python_stderr
        os.dup2(terminal, 2)
        os.close(terminal)


def _writes_to_descriptor_2(stream: Any) -> bool:
    try:
        return bool(stream.fileno() == 2)
    except (OSError, AttributeError, ValueError):
        return False


@cache
def tensorflow() -> Any:
    """The `tensorflow` module, set to Keras 2, deterministic operators and silence.

    Sums of floats depend on their order, and that on how work is shared out: the number of threads is fixed, whatever
    the machine has, and oneDNN, which chooses its kernels by the processor's model, is off.
    """
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    with quiet():
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(_THREADS)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        tf.config.experimental.enable_op_determinism()
        tf.constant(0)  # the first operation looks for devices, and says what it found
    tf.get_logger().setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.ERROR)
    return tf


@cache
def keras() -> Any:
    """The `tf_keras` module (Keras 2), over the configured TensorFlow."""
    tensorflow()
    with quiet():
        import tf_keras
    return tf_keras


def keras_runtime(seed: int) -> Any:
    """The `tf_keras` module, seeded and as if nothing had run before.

    Layer names end up in the .tflite and are counted through a process, so they are forgotten here: without that, the
    second conversion in a process would give other bytes than the first.

    Args:
        seed: for Python's, NumPy's and TensorFlow's generators.
    """
    keras().backend.clear_session()
    keras().utils.set_random_seed(seed)
    return keras()
