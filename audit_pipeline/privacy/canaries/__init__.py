"""Canaries: mislabelled rows, each put into the training set or left out by a fair coin that a model may tell of.

`drawing` picks rows, labels and coins, `record` keeps them, `scoring` guesses the coins from a model that was trained
on the rows that stayed. How much so many right guesses prove is in `privacy.one_run`.
"""
