"""What people put by for later: saved looks, and what they were refused."""
