from __future__ import annotations

import pytest
from ai_edge_litert.interpreter import Interpreter

from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.errors import InputError
from audit_pipeline.tflite import read_graph


def test_the_graph_is_what_the_interpreter_sees(candidate: Candidate) -> None:
    graph = read_graph(candidate.tflite).main
    interpreter = Interpreter(model_content=candidate.tflite)
    for details in interpreter.get_tensor_details()[: len(graph.tensors)]:
        tensor = graph.tensors[details["index"]]
        assert tensor.name == details["name"]
        assert tensor.shape == tuple(details["shape"])
        assert tensor.dtype == details["dtype"].__name__.upper()
        assert tensor.scales == tuple(details["quantization_parameters"]["scales"])


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.9, 0.99])
def test_a_truncated_graph_is_refused(share: float, candidate: Candidate) -> None:
    with pytest.raises(InputError) as caught:
        read_graph(candidate.tflite[: int(len(candidate.tflite) * share)], "cut.tflite")
    assert caught.value.code in ("tflite.not-tflite", "tflite.corrupt")
    assert "cut.tflite" in str(caught.value)
