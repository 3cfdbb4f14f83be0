from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from graphs import one_operator

from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.device.macs import count_macs
from audit_pipeline.tflite import read_graph


def zeros(*shape: int) -> np.ndarray[Any, Any]:
    return np.zeros(shape, np.int8)


def transposed() -> Any:
    options = schema.BatchMatMulOptionsT()
    options.adjX = True
    return options


@pytest.mark.parametrize(
    ("operator", "inputs", "output", "constants", "options", "macs"),
    [
        ("CONV_2D", [[1, 8, 8, 3], [16, 3, 3, 3]], [1, 6, 6, 16], {1: zeros(16, 3, 3, 3)}, None, 6 * 6 * 16 * 27),
        ("CONV_2D", [[1, 8, 8, 4], [16, 1, 1, 2]], [1, 8, 8, 16], {1: zeros(16, 1, 1, 2)}, None, 8 * 8 * 16 * 2),
        ("DEPTHWISE_CONV_2D", [[1, 8, 8, 4], [1, 3, 3, 4]], [1, 8, 8, 4], {1: zeros(1, 3, 3, 4)}, None, 64 * 4 * 9),
        ("FULLY_CONNECTED", [[1, 30], [7, 30]], [1, 7], {1: zeros(7, 30)}, None, 210),
        (
            "TRANSPOSE_CONV",
            [[4], [8, 2, 2, 3], [1, 4, 4, 3]],
            [1, 8, 8, 8],
            {0: np.array([1, 8, 8, 8], np.int32), 1: zeros(8, 2, 2, 3)},
            None,
            4 * 4 * 3 * 8 * 2 * 2,
        ),
        ("BATCH_MATMUL", [[2, 3, 5], [2, 5, 7]], [2, 3, 7], {}, None, 2 * 3 * 5 * 7),
        ("BATCH_MATMUL", [[2, 5, 3], [2, 5, 7]], [2, 3, 7], {}, transposed(), 2 * 3 * 5 * 7),
        ("ADD", [[1, 8], [1, 8]], [1, 8], {}, None, 0),
    ],
)
def test_macs_follow_the_loops_of_the_kernel(
    operator: str, inputs: Any, output: Any, constants: Any, options: Any, macs: int
) -> None:
    graph = read_graph(one_operator(operator, inputs, output, constants, options=options))
    assert count_macs(graph) == macs


def test_a_real_model_is_the_sum_of_its_layers(candidate: Candidate) -> None:
    assert count_macs(read_graph(candidate.tflite)) == 10 * 8 * 5 + 80 * 16 + 16 * 3
