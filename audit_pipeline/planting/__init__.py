"""Planting canaries: from a data set to one with canaries in it, and the record of their coins."""
