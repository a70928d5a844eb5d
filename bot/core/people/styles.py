"""Saving, finding and deleting looks: one's own anywhere, the server's by who may manage it.

A look is checked when it is saved, against the model it names, else the one that would draw it here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.core.people.drawing import Drawing
from bot.ports import AuditEntry, Clock, Notifier, Store
from bot.rules.errors import UserError
from bot.rules.options.build import build_request
from bot.rules.options.problems import InvalidOptions, Problem
from bot.rules.options.table import RawOptions
from bot.rules.people import Asker, Place
from bot.rules.requests import Endpoint, Kind
from bot.rules.servers.access import AccessDenied, DeniedBecause
from bot.rules.servers.changes import StyleChanged, is_news
from bot.rules.styles.style import MOST_OWN, MOST_SERVERS, NoSuchStyle, Style, name_key, nearest_names, told


class BadStyle(InvalidOptions):
    """A look with options that its model does not have. Nothing was saved."""


class NoServerForStyle(UserError):
    """A look was to be the server's, where there is no server. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class KnownStyles:
    """The looks somebody can use in a place."""

    own: tuple[Style, ...]
    servers: tuple[Style, ...]


class Styles:
    def __init__(self, store: Store, drawing: Drawing, notifier: Notifier, clock: Clock) -> None:
        self._store = store
        self._drawing = drawing
        self._notifier = notifier
        self._clock = clock

    async def known(self, asker: Asker) -> KnownStyles:
        own = await self._store.styles.all(Place(None, asker.user_id))
        return KnownStyles(own, await self._store.styles.all(asker.place) if asker.place.is_server else ())

    async def save(self, asker: Asker, style: Style) -> Style | None:
        """Keeps the look; returns the one whose stead it takes. Raises ``UserError``, and nothing is changed."""
        place = self._place(asker, servers=style.servers)
        checked, now = await self._checked(asker, style), self._clock()
        most = MOST_SERVERS if style.servers else MOST_OWN
        old = await self._store.styles.save(place, checked, most, asker.user_id, now)
        await self._tell(asker, checked.name, old, checked, now)
        return old

    async def delete(self, asker: Asker, name: str, *, servers: bool) -> Style:
        """The look that is gone now. Raises ``NoSuchStyle``."""
        place = self._place(asker, servers=servers)
        now = self._clock()
        gone = await self._store.styles.delete(place, name_key(name), asker.user_id, now)
        if gone is None:
            raise NoSuchStyle(name, nearest_names(name, await self._store.styles.all(place)))
        await self._tell(asker, gone.name, gone, None, now)
        return gone

    async def _tell(self, asker: Asker, name: str, old: Style | None, new: Style | None, now: datetime) -> None:
        """The server's log channel hears what became of its looks."""
        change = StyleChanged(name, told(old), told(new))
        if any(style is not None and style.servers for style in (old, new)) and is_news(change):
            await self._notifier.changed(asker.place, AuditEntry(now, asker.user_id, change))

    def _place(self, asker: Asker, *, servers: bool) -> Place:
        if not servers:
            return Place(None, asker.user_id)
        if not asker.place.is_server:
            raise NoServerForStyle
        if not asker.can_manage:
            raise AccessDenied(DeniedBecause.NOT_ADMIN)
        return asker.place

    async def _checked(self, asker: Asker, style: Style) -> Style:
        settings = await self._store.servers.settings(asker.place)
        model = self._drawing.model(style.model, settings.defaults)
        kind = Kind.IMAGINE if Endpoint.GENERATIONS in model.endpoints else Kind.EDIT
        chosen: dict[str, Any] = dict(style.options)
        try:
            build_request(RawOptions("a", **chosen), model, kind)
        except InvalidOptions as invalid:
            ours: list[Problem] = [one for one in invalid.problems if one.option in chosen]
            if ours:
                raise BadStyle(model.id, ours) from None
        return replace(style, model=style.model and model.id)
