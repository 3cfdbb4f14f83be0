"""Stage 3: the trained model, inspected before anything in it is deserialised."""
