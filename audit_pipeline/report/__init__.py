"""Stage 11: one `Evidence`, many renderers."""
