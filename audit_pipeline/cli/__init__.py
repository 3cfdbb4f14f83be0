"""The command line: the only place that prints, asks, reads the clock and chooses exit codes."""
