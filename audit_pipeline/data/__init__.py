"""Stage 2: the population the model meets: rows, labels, groups, and the person each row came from."""
