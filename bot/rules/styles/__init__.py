"""Saved looks: what one is, and what of a wish is left to it, to the person's own defaults and to the server's."""
