"""Canaries: mislabelled rows, each put into the training set or left out by a fair coin that a model may tell of.

`planting` makes the data set to train on and the record of the coins, `record` reads the latter back, `scoring` guesses
the coins from a model that was trained on the former. How many right guesses prove what is `privacy.one_run`.
"""
