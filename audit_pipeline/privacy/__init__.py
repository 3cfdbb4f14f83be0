"""Stage 7: what the candidate gives away about its training people."""
