"""The commands, a file a group. Each says what Discord shows and hands over to ``bot.ui``.

Law: no cog imports another, none holds a rule about prices, limits or options. ``setup`` adds its commands to the tree.
"""
