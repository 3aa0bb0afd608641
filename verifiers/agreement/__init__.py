"""Checks of what models say of a sample: their votes, and their answers to the same prompt."""
