"""How results, progress and notices conversation people, once."""
