"""Bots to hold Easel against, each a process of its own that keeps the same conversation."""
