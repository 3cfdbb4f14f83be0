"""Which error codes a parser can answer with, read from its source: what a fuzzer should get to see."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterable

_SHORT = {"rejected": "image", "EphemeralFault": "image", "_rejected": "waiver"}
"""What takes a code without its stage, and the stage that it puts before it."""
_CODE = re.compile(r"(image|attestation|release|verdict|waiver|trust|keys|signer|policy|model)\.[a-z0-9-]+")


def codes_of(modules: Iterable[str]) -> frozenset[str]:
    """Codes that stand as arguments of calls in these modules of `audit_pipeline.seal`."""
    return frozenset(code for name in modules for code in _codes_in(f"audit_pipeline.seal.{name}"))


def _codes_in(module: str) -> Iterable[str]:
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        constants = [node.value for part in given for node in ast.walk(part) if isinstance(node, ast.Constant)]
        texts = [text for text in constants if isinstance(text, str)]
        if isinstance(call.func, ast.Name) and call.func.id in _SHORT and texts:
            yield f"{_SHORT[call.func.id]}.{texts[0]}"
        yield from (text for text in texts if _CODE.fullmatch(text))
