"""Batches that are drawn overnight, for less: asked for once, looked at, read, cleared away."""
