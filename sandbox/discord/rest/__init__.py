"""Discord's REST API on loopback: a file a family of routes."""
