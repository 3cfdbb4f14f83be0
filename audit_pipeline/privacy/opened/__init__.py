"""Files of a release taken apart into named stretches of bytes and constants, so that a find can say where it is."""
