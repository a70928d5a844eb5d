"""What Discord refuses in a request body, and what it says about it: a file a kind of body."""
