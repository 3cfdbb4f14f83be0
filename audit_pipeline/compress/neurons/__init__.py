"""Whole filters and units: which hang together, which matter, and a model without the others."""
