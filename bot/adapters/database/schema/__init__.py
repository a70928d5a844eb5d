"""What the database looks like, how its rows are named, and how it came to be so."""
