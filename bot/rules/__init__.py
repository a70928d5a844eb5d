"""The rules: plain functions and frozen data.

Law of this package: no ``await``, no clock, no randomness, no library. Time comes in as ``now`` (aware UTC).
"""
