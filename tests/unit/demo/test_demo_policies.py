from __future__ import annotations

from importlib import resources

import pytest

from audit_pipeline.demo.population import write_population
from audit_pipeline.policy.load import load_policy


@pytest.fixture
def policies(tmp_path):
    write_population(tmp_path, seed=1)
    loaded = {}
    for name in ("too-hard", "holds"):
        path = tmp_path / f"{name}.yaml"
        path.write_bytes((resources.files("audit_pipeline.demo") / path.name).read_bytes())
        loaded[name] = load_policy(path)
    return loaded


def test_both_demo_policies_differ_in_name_and_recipe_only(policies):
    hard, mild = (policies[name].value for name in ("too-hard", "holds"))
    for section in ("human_centred", "data", "target", "fairness", "privacy", "statistics", "seal", "on_inconclusive"):
        assert getattr(hard, section) == getattr(mild, section)
    assert hard.compress != mild.compress
