"""What concerns oneself: looks, defaults, limits, and help."""
