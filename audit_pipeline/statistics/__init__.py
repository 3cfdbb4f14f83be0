"""Intervals for proportions whose rows come from people: what `evaluate` and `privacy` both stand on."""
