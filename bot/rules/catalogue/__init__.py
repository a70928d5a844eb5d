"""What models can do and what they cost, as data: ``catalogue.toml`` and its readers."""
