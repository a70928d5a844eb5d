"""A server's refused words: how they are kept, and whether a prompt holds one however it is written."""
