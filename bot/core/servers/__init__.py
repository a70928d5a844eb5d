"""What admins decide about a server: settings, limits, keys, import and export, and leaving."""
