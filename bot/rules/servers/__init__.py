"""What a server allows, and what an admin changed."""
