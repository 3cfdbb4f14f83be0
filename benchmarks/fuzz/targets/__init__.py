"""One module for each parser, with a function `target`."""
