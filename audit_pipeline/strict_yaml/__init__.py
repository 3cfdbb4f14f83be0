"""YAML files that people write, read strictly: YAML 1.2 to a frozen model, with the line in every error.

A file becomes a tree of nodes that know their lines (`nodes`), the tree's plain value is validated by a pydantic
model, and what the model refuses is told in plain English at the line it stands on (`wording`). All problems of a
file are reported in one error, one a line:

    fair.yaml:14: fairness[0].metrc: unknown key, did you mean metric?
    fair.yaml:31: statistics.confidence: must be below 1, not 95
"""

from audit_pipeline.strict_yaml.loading import Loaded, load
from audit_pipeline.strict_yaml.model import Strict
from audit_pipeline.strict_yaml.problem import Loc, Problem, dotted, refuse

__all__ = ["Loaded", "Loc", "Problem", "Strict", "dotted", "load", "refuse"]
