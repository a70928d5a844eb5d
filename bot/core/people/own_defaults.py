"""What a member always wants where they chose nothing: kept as the settings of their own place.

Direct messages with the bot are that place, so there it holds as a server's defaults do.
"""

from __future__ import annotations

from dataclasses import fields, replace

from bot.core.people.drawing import Drawing
from bot.core.servers.settings_cache import SettingsCache
from bot.ports import Clock, Store
from bot.rules.people import Asker, Place
from bot.rules.servers.access import Defaults
from bot.rules.servers.edits import checked_defaults, defaulted

EVERY = frozenset(field.name for field in fields(Defaults))


class OwnDefaults:
    def __init__(self, store: Store, cache: SettingsCache, drawing: Drawing, clock: Clock) -> None:
        self._store = store
        self._cache = cache
        self._drawing = drawing
        self._clock = clock

    async def held(self, asker: Asker) -> Defaults:
        return (await self._store.servers.settings(_own_place(asker))).defaults

    async def change(self, asker: Asker, given: Defaults, dropped: frozenset[str] = frozenset()) -> Defaults:
        """Sets what is given, takes back what is dropped by name; returns what holds now. Raises ``UserError`` where
        the model they would go with does not have them, and nothing is changed."""
        held = await self.held(asker)
        here = (await self._store.servers.settings(asker.place)).defaults
        kept = replace(held, model=None) if "model" in dropped else held
        model = self._drawing.model(given.model or kept.model, here)
        checked = replace(checked_defaults(given, model), model=given.model and model.id)
        place = _own_place(asker)
        await self._store.servers.change_settings(place, defaulted(checked, dropped), asker.user_id, self._clock())
        self._cache.forget(place)
        return await self.held(asker)

    async def reset(self, asker: Asker) -> None:
        place = _own_place(asker)
        await self._store.servers.change_settings(place, defaulted(Defaults(), EVERY), asker.user_id, self._clock())
        self._cache.forget(place)


def _own_place(asker: Asker) -> Place:
    return Place(None, asker.user_id)
