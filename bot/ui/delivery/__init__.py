"""How results, progress and notices reach people, once."""
