"""What the README's figures come from: `make bench-NAME` runs `python -m benchmarks.NAME`."""
