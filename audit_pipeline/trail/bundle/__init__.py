"""What goes with every export of a log: the checker and how to use it. Nothing here is imported by the tool itself."""
