"""Stage 1: what must hold, written down and digested before anything is measured."""
