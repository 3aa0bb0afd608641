"""Checks against a given truth: references, tests, schemas and rules."""
