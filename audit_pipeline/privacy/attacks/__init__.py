"""Membership scores: by what an attacker orders rows, from those most likely trained on to those least likely."""
