"""What people put by for later: saved looks."""
