"""Stage 6: before against after, for every group."""
