"""Which operators a candidate uses, and which of them tflite-micro has a kernel for.

The answer comes from the resolver of the installed tflite-micro (see `interpreter_probe`), not from a list kept here.
"""

from __future__ import annotations

from collections import Counter

from audit_pipeline.evidence import OperatorCount
from audit_pipeline.tflite import Graph


def count_operators(graph: Graph, missing: frozenset[str]) -> tuple[OperatorCount, ...]:
    """Operators of all subgraphs by kind, the most frequent first.

    Args:
        graph: of the candidate.
        missing: names of operators that tflite-micro has no kernel for.
    """
    names = Counter(operator.name for part in graph.subgraphs for operator in part.operators)
    return tuple(
        OperatorCount(name=name, count=count, supported=name not in missing)
        for name, count in sorted(names.items(), key=lambda item: (-item[1], item[0]))
    )
