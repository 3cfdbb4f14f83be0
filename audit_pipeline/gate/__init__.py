"""The release gate: a run is judged again from its bytes."""
