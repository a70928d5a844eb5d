"""A pretend Discord over real sockets: REST, gateway and attachments, strict where Discord is strict.

``world.World`` is what exists and what people do; ``server.Server`` is the wire the bot talks to.
Law: nothing here imports the bot, and of others' libraries only aiohttp (schema validators at first use).
"""
