"""Ship a model to a microcontroller only if it still works for every population group."""

__version__ = "0.1.0"
