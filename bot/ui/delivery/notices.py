"""What nobody asked for and admins should know: posted to a server's log channel, or told to the operator.

Law: best effort. Nothing here raises, waits for Discord, or mentions anybody; what cannot be posted stands in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import date

import discord

from bot.core.servers.settings_cache import SettingsCache
from bot.core.tasks import Tasks
from bot.ports import AuditEntry, BudgetWarning, Store
from bot.rules.limits.limit import Scope, slot_of
from bot.rules.people import Place
from bot.rules.servers.access import ServerSettings
from bot.ui.interactions.failures import TROUBLE
from bot.ui.pages.settings import fitted
from bot.ui.words.catalogue import has, say
from bot.ui.words.changes import change_line
from bot.ui.words.limits import slot
from bot.ui.words.numbers import day, money
from bot.ui.words.text import CONTENT_LIMIT, cut, escaped, inline

log = logging.getLogger(__name__)

Wording = Callable[[str], str]
"""A notice in the language of a locale."""


class DiscordNotifier:
    """``ports.Notifier`` on log channels; until the client is connected, the log has to do."""

    def __init__(self, client: discord.Client, store: Store, settings_cache: SettingsCache, tasks: Tasks) -> None:
        self._client = client
        self._store = store
        self._settings_cache = settings_cache
        self._tasks = tasks

    async def budget(self, place: Place, warning: BudgetWarning) -> None:
        if warning.limit.scope is Scope.OPERATOR:
            log.warning("the operator's budget has passed %d %%", warning.percent)
            self._soon(self._tell_owner, lambda locale: _budget(warning, locale, "notice.budget_operator"))
            return
        log.info("a budget of %s has passed %d %%", place.key, warning.percent)
        self._post_soon(place, lambda locale: _budget(warning, locale, "notice.budget"))

    async def service(self, place: Place | None, *, working: bool, why: str, model: str | None) -> None:
        """The operator's key concerns the operator alone: servers meet it as a refusal that says so."""
        say_it = log.info if working else log.error
        whose = "the operator's key" if place is None else f"the own key of {place.key}"
        verb, what_for = "takes" if working else "refuses", model or "every model"
        say_it("the image service %s %s for %s %s", verb, whose, what_for, why)
        state = "up" if working else "down"
        if place is None:
            key = f"notice.operator_model_{state}" if model else f"notice.operator_{state}"
            self._soon(self._tell_owner, lambda locale: _service(key, why, model, locale))
        else:
            key = f"notice.own_model_{state}" if model else f"notice.own_{state}"
            self._post_soon(place, lambda locale: _service(key, why, model, locale))

    async def changed(self, place: Place, *entries: AuditEntry) -> None:
        def words(locale: str) -> str:
            lines = [change_line(entry.change, locale) for entry in entries]
            text = lines[0] if len(lines) == 1 else fitted(lines, CONTENT_LIMIT - 200, locale)
            return say(locale, "notice.changed", actor=f"<@{entries[0].actor_id}>", change=text)

        self._settings_cache.forget(place)
        self._post_soon(place, words)

    async def model_ends(self, model_id: str, ends_on: date, successor: str | None) -> None:
        """For every server that names the model as its default or among the allowed ones."""
        log.warning("model %s ends on %s", model_id, ends_on)

        def words(locale: str) -> str:
            use = say(locale, "notice.model_successor", successor=inline(successor)) if successor else ""
            return say(locale, "notice.model_ends", model=inline(model_id), day=day(locale, ends_on), successor=use)

        async def post_all() -> None:
            for place, settings in await self._store.servers.watched():
                if model_id == settings.defaults.model or model_id in settings.allowed_models:
                    await self._post_to(place, settings, words)

        self._soon(lambda _: post_all(), words)

    # --- how -------------------------------------------------------------------------------------------------------

    def _post_soon(self, place: Place, words: Wording) -> None:
        async def post(words: Wording) -> None:
            await self._post_to(place, await self._store.servers.settings(place), words)

        self._soon(post, words)

    def _soon(self, tell: Callable[[Wording], Awaitable[None]], words: Wording) -> None:
        """Tells in the background: the caller may be answering somebody within three seconds."""
        if self._client.application is None:
            log.info("nobody could be told yet: %s", words("en"))
            return

        async def guarded() -> None:
            try:
                await tell(words)
            except Exception:
                log.exception("a notice could not be given")

        self._tasks.start(guarded(), "notice")

    async def _post_to(self, place: Place, settings: ServerSettings, words: Wording) -> None:
        if settings.log_channel_id is None or not place.is_server:
            return
        guild = self._client.get_guild(place.guild_id or 0)
        locale = str(guild.preferred_locale) if guild is not None else "en"
        channel = self._client.get_partial_messageable(settings.log_channel_id, guild_id=place.guild_id)
        try:
            await channel.send(cut(words(locale), CONTENT_LIMIT), allowed_mentions=discord.AllowedMentions.none())
        except TROUBLE as error:
            log.info("the log channel of %s took no notice: %s", place.key, type(error).__name__)

    async def _tell_owner(self, words: Wording) -> None:
        await tell_owner(self._client, words("en"))


async def tell_owner(client: discord.Client, text: str) -> None:
    """A direct message to the owner of the application, or to every member of the team that owns it."""
    application = client.application
    if application is None:
        return
    owners = application.team.members if application.team is not None else [application.owner]
    for owner in owners:
        try:
            channel = await client.create_dm(owner)
            await channel.send(cut(text, CONTENT_LIMIT), allowed_mentions=discord.AllowedMentions.none())
        except TROUBLE as error:
            log.info("the operator could not be told in Discord: %s", type(error).__name__)


def _budget(warning: BudgetWarning, locale: str, key: str) -> str:
    limit = warning.limit
    return say(
        locale,
        key,
        percent=warning.percent,
        what=slot(slot_of(limit), locale),
        used=money(locale, warning.used_micro_usd),
        amount=money(locale, limit.amount or 0),
        ends=say(locale, "notice.budget_full") if warning.percent >= 100 else "",
    )


def _service(key: str, why: str, model: str | None, locale: str) -> str:
    reason = f"notice.why.{why}"
    why = say(locale, reason) if has(reason) else escaped(why, 60)
    return say(locale, key, why=why, model=inline(model or ""))
