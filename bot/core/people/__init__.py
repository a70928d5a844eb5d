"""What members keep for themselves: looks, and their own defaults."""
