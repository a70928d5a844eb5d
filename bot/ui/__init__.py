"""Everything people see: words, embeds, buttons, forms, and the discord.py client that carries them.

Law: imports rules, ports, jobs, tasks, imaging and discord (aiohttp comes with it); never an adapter.
"""
