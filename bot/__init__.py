"""Easel: a self-hosted Discord bot that makes, edits and varies images, within limits that hold."""
