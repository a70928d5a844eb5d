"""From words to a legal request, or every problem at once."""
