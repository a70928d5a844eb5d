"""Limits as data, and the one function that decides."""
