"""The connection to Discord: commands registered, events guarded, servers joined and left."""
