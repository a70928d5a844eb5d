"""The pretend Discord as somebody who tries Easel finds it."""

from __future__ import annotations

from sandbox.discord.town import grow
from sandbox.discord.world import World

WORLDS = ("small", "large")
TOPIC, TOPIC_GERMAN = "Say hello, then /imagine", "Sag Hallo, dann /imagine"


def easel_town(size: str = WORLDS[0], language: str | None = None) -> World:
    """The town; ``large`` with hundreds of members and channels. ``language``: what its English speakers speak."""
    world = World(app_name="Easel")
    if size == "large":
        grow(world, world.town)
    if language is not None:
        for user in [one for one in world.users.values() if one.locale.startswith("en") and not one.bot]:
            world.speak(user, language)
        for guild in world.guilds.values():
            guild.locale = language
    world.town.general.topic = TOPIC_GERMAN if language == "de" else TOPIC
    return world
