"""What a language says of itself: which form a number takes, and what commands and options are called."""
