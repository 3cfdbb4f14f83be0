"""Stage 5: what the candidate costs on the board, and what it answers in the device's own integers."""
