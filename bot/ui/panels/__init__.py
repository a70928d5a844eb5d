"""Pages with controls: gallery, settings, one's own data."""
