"""What each command under ``/settings`` does, as a reply: old → new, or a question where money is at stake."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import discord

from bot.core.servers.settings_file import BadImport, ImportFile, export, read_import
from bot.core.servers.transfer import Known, apply_import, plan_import
from bot.rules.catalogue.catalogue import ModelRetired, ModelWithheld, NoSuchModel
from bot.rules.catalogue.model import Model
from bot.rules.limits.limit import (
    Scope,
)
from bot.rules.people import Place
from bot.rules.servers.access import AccessDenied, Defaults, DeniedBecause, may_use_model, model_by_default
from bot.rules.servers.changes import (
    Change,
    DefaultsChanged,
    Listed,
    ListsChanged,
    LogChannelChanged,
    PreviewsChanged,
    Resettable,
    closes_others,
    is_news,
    lists_of,
)
from bot.rules.servers.edits import (
    ALL,
    ChangedMeanwhile,
    Edit,
    ListChange,
    SetAndRemoved,
    checked_defaults,
    defaulted,
    falling_back,
    listed,
    logged_to,
    moderated,
    paused,
    previewed,
    resumed,
    unblocked,
)
from bot.rules.uploads import BadUpload
from bot.ui.components.confirm import Confirm
from bot.ui.interactions.who import asker_of
from bot.ui.messages import File, Message
from bot.ui.orders.attachments import Source
from bot.ui.pages.settings import Office, audit_page
from bot.ui.panels.server.answers import Shown, all_changed, changed, listed_changes
from bot.ui.panels.server.parts import Page
from bot.ui.panels.settings_options import NO_DEFAULT, AnyChannel, check_here, try_channel
from bot.ui.shell import Interaction, Shell
from bot.ui.words.catalogue import joined, say
from bot.ui.words.changes import change_line
from bot.ui.words.errors import CannotBlock
from bot.ui.words.text import clean, escaped, inline

AUDIT_ENTRIES = 50
MOST_NAMED = 10

LISTED_ON = {Listed.MODELS: Page.MODELS, Listed.CHANNELS: Page.WHO, Listed.ROLES: Page.WHO}

OfServer: TypeAlias = discord.Role | AnyChannel


def locale_of(interaction: Interaction) -> str:
    return str(interaction.locale)


def place_of(interaction: Interaction) -> Place:
    return asker_of(interaction).place


# --- looking -----------------------------------------------------------------------------------------------------


async def office_of(interaction: Interaction) -> Office:
    """All that holds here."""
    shell, asker = interaction.client.shell, asker_of(interaction)
    settings, known = await shell.store.servers.settings(asker.place), _known(interaction)

    def exists(scope: Scope, subject_id: int) -> bool:
        here = {Scope.ROLE: known.roles, Scope.CHANNEL: known.channels}.get(scope)
        return not here or subject_id in here

    return Office(
        settings=settings,
        limits=await shell.store.servers.limits(asker.place),
        standings=await shell.store.figures.standings(asker, shell.clock()),
        default_model=shell.config.default_model,
        exists=exists,
        locale=locale_of(interaction),
        words_refused=await shell.store.servers.words_refused(asker.place, shell.clock()),
        default_gone=_is_gone(shell, settings.defaults),
        key_refused=shell.admin.is_key_refused(asker.place),
    )


def _is_gone(shell: Shell, defaults: Defaults) -> bool:
    """Whether the model of who names none cannot be had any more."""
    named = model_by_default(defaults, shell.config.default_model)
    try:
        shell.catalogue.choose(named, official=shell.config.is_official, today=shell.clock().date())
    except (NoSuchModel, ModelRetired, ModelWithheld):
        return True
    return False


async def audit(interaction: Interaction) -> Message:
    entries = await interaction.client.shell.store.servers.audit(place_of(interaction), AUDIT_ENTRIES)
    return Message(embed=audit_page(entries, locale_of(interaction)))


def _known(interaction: Interaction) -> Known:
    shell = interaction.client.shell
    server = shell.servers.of(interaction.guild_id)

    def model(name: str) -> Model:
        return shell.catalogue.choose(name, official=shell.config.is_official, today=shell.clock().date())

    return Known(
        roles=frozenset(server.roles) if server is not None else frozenset(),
        channels=frozenset(server.rooms) if server is not None else frozenset(),
        model=model,
        default_model=shell.config.default_model,
        unblockable=frozenset({interaction.user.id, interaction.application_id}),
    )


# --- lists and defaults --------------------------------------------------------------------------------------------


async def put_here(
    interaction: Interaction, which: Listed, allow: OfServer | None, deny: OfServer | None, clear: bool
) -> Message:
    """Allows or denies a channel or role, which must be of this server. Raises ``NotHere``."""
    check_here(interaction, allow)
    check_here(interaction, deny)
    return await _put(interaction, which, ListChange(_id_of(allow), _id_of(deny), clear))


def _id_of(thing: OfServer | None) -> int | None:
    return None if thing is None else thing.id


async def _put(interaction: Interaction, which: Listed, change: ListChange) -> Message:
    """Allows or denies; without any option, says what holds."""
    shell, asker, locale = interaction.client.shell, asker_of(interaction), locale_of(interaction)
    if change.is_empty:
        now = lists_of(await shell.store.servers.settings(asker.place), which)
        return Shown(change_line(ListsChanged(which, now, now), locale), page=LISTED_ON[which])
    done = await shell.admin.change(asker, listed(which, change))
    return changed(interaction, done, *await notes_on(interaction, which, done.change))


async def notes_on(interaction: Interaction, which: Listed, change: Change) -> list[str]:
    """What a change of lists closes, which its line does not say."""
    shell, locale = interaction.client.shell, locale_of(interaction)
    settings = await shell.store.servers.settings(place_of(interaction))
    default = model_by_default(settings.defaults, shell.config.default_model)
    if lists_of(settings, which).is_closed:
        return [say(locale, f"settings.closed_{which}")]
    notes = [say(locale, f"settings.others_closed_{which}")] if closes_others(change) else []
    if which is Listed.MODELS and not may_use_model(settings, default):
        notes.append(say(locale, "settings.default_denied", model=inline(default)))
    return notes


async def put_models(
    interaction: Interaction, allow: str | None, deny: str | None, fallback: bool | None = None
) -> Message:
    """The same for models, which must be known to be put on a list; and whether others may draw in their place.

    Raises ``NoSuchModel``.
    """
    change = ListChange(allow.strip() if allow else None, deny.strip() if deny else None)
    if fallback is not None and change.is_empty:
        return await _edited(interaction, falling_back(fallback))
    shell = interaction.client.shell
    settings = await shell.store.servers.settings(place_of(interaction))
    for name in (change.allow, change.deny):
        listed_already = name in settings.allowed_models or name in settings.denied_models
        if name not in (None, "all") and not listed_already and shell.catalogue.get(str(name)) is None:
            shell.catalogue.choose(str(name), official=shell.config.is_official, today=shell.clock().date())
    before = None if fallback is None else await _edited(interaction, falling_back(fallback))
    done = await _put(interaction, Listed.MODELS, change)
    lines = [done.content] if before is None else [before.content, done.content]
    if change.allow == ALL and change.deny is None and settings.denied_models:
        named = [inline(one) for one in sorted(settings.denied_models)[:MOST_NAMED]]
        denied = joined(locale_of(interaction), named, last="and")
        lines.append(say(locale_of(interaction), "settings.still_denied", models=denied))
    return replace(done, content="\n".join(line for line in lines if line))


async def put_defaults(interaction: Interaction, asked: Defaults) -> Message:
    """Sets what is given, checked against the model it will be used with; ``none`` takes one back."""
    if asked == Defaults():
        shell, locale = interaction.client.shell, locale_of(interaction)
        held = (await shell.store.servers.settings(place_of(interaction))).defaults
        named = inline(model_by_default(held, shell.config.default_model))
        gone = [say(locale, "settings.default_gone", model=named)] if _is_gone(shell, held) else []
        return Shown("\n".join([change_line(DefaultsChanged(held, held), locale), *gone]), page=Page.MODELS)
    return await _edited(interaction, await defaults_edit(interaction, asked))


async def defaults_edit(interaction: Interaction, asked: Defaults) -> Edit:
    """The same as an edit. Raises ``BadDefaults``, ``NoSuchModel`` or ``AccessDenied``."""
    shell = interaction.client.shell
    settings = await shell.store.servers.settings(place_of(interaction))
    texts = ("model", "size", "quality", "format")
    dropped = frozenset(name for name in texts if (getattr(asked, name) or "").strip().lower() == NO_DEFAULT)
    wanted = replace(asked, **dict.fromkeys(dropped))
    held = replace(settings.defaults, model=None) if "model" in dropped else settings.defaults
    named = wanted.model or model_by_default(held, shell.config.default_model)
    model = shell.catalogue.choose(named, official=shell.config.is_official, today=shell.clock().date())
    if wanted.model is not None and not may_use_model(settings, model.id):
        raise AccessDenied(DeniedBecause.MODEL, model.id)
    checked = checked_defaults(wanted, model)
    given = replace(checked, model=model.id) if wanted.model is not None else checked
    return defaulted(given, dropped)


# --- switches ----------------------------------------------------------------------------------------------------


async def moderation(
    interaction: Interaction, level: str | None, spoiler: bool | None, age_restricted_only: bool | None
) -> Message:
    edit = moderated(level, spoiler, age_restricted_only)
    return await _edited(interaction, edit, Page.SAFETY)


async def previews(interaction: Interaction, enabled: bool | None, *, remove: bool) -> Message:
    """On or off; ``remove`` leaves it to Easel again."""
    if remove and enabled is not None:
        raise SetAndRemoved
    if enabled is None and not remove:
        settings = await interaction.client.shell.store.servers.settings(place_of(interaction))
        shown = PreviewsChanged(settings.previews, settings.previews)
        return _held(shown, interaction, Page.LOOK, "previews" if settings.previews is not None else "")
    return await _edited(interaction, previewed(enabled))


def _held(held: Change, interaction: Interaction, page: Page, removable: str) -> Message:
    """What holds, and how it would be removed."""
    locale = locale_of(interaction)
    hint = [say(locale, "settings.how_to_remove")] if removable else []
    named = ((removable, ""),) if removable else ()
    return Shown("\n".join([change_line(held, locale), *hint]), page=page, removable=named)


async def look(interaction: Interaction, edit: Edit) -> Message:
    return await _edited(interaction, edit, Page.LOOK)


async def pause(interaction: Interaction, reason: str | None) -> Message:
    return await _edited(interaction, paused(clean(reason or "")))


async def resume(interaction: Interaction, reason: str | None) -> Message:
    return await _edited(interaction, resumed(clean(reason or "")))


async def block(interaction: Interaction, user_id: int, reason: str | None) -> Message:
    if user_id in (interaction.user.id, interaction.application_id):
        raise CannotBlock(themselves=user_id == interaction.user.id)
    done, stopped = await interaction.client.shell.admin.block(asker_of(interaction), user_id, clean(reason or ""))
    note = say(locale_of(interaction), "settings.jobs_stopped", count=stopped) if stopped else ""
    return changed(interaction, done, note)


async def unblock(interaction: Interaction, user_id: int, reason: str | None) -> Message:
    return await _edited(interaction, unblocked(user_id, clean(reason or "")))


async def _edited(interaction: Interaction, edit: Edit, page: Page | None = None) -> Message:
    """Old → new; where nothing is otherwise, what holds, and the ``page`` that changes it."""
    message = changed(interaction, done := await interaction.client.shell.admin.change(asker_of(interaction), edit))
    return message if page is None or is_news(done.change) else Shown(message.content, page=page)


# --- log, file, reset ----------------------------------------------------------------------------------------------


async def log_to(interaction: Interaction, channel: AnyChannel | None, *, remove: bool) -> Message:
    """Tries the channel by writing into it before it is kept. Raises ``NotHere`` or ``CannotPost``."""
    if remove and channel is not None:
        raise SetAndRemoved
    if channel is None and not remove:
        settings = await interaction.client.shell.store.servers.settings(place_of(interaction))
        now = settings.log_channel_id
        return _held(LogChannelChanged(now, now), interaction, Page.LOG, "log" if now is not None else "")
    check_here(interaction, channel)
    if channel is not None:
        await try_channel(interaction, channel.id, "notice.log_here")
    return await _edited(interaction, logged_to(None if channel is None else channel.id))


async def remove_api_key(interaction: Interaction) -> Message:
    """Says how many nights are under way that this key pays for."""
    shell, asker = interaction.client.shell, asker_of(interaction)
    nights = await shell.nights.paid_by(asker.place)
    done = await shell.admin.set_api_key(asker, None)
    return changed(interaction, done, say(asker.locale, "settings.key_nights", count=nights) if nights else "")


async def export_file(interaction: Interaction) -> Message:
    store, place = interaction.client.shell.store, place_of(interaction)
    held = await store.servers.held(place)
    data = export(held.settings, held.limits, held.styles)
    return Message(say(locale_of(interaction), "settings.export_done"), files=(File("easel-settings.json", data),))


async def import_file(interaction: Interaction, source: Source) -> Message:
    """What the file would change, to be confirmed. Raises ``BadImport``."""
    try:
        data = await source.read()
    except BadUpload as problem:
        raise BadImport(problem) from None
    return await _ask_import(interaction, read_import(data))


async def _ask_import(interaction: Interaction, file: ImportFile, head: str = "settings.import_title") -> Message:
    shell, locale, known = interaction.client.shell, locale_of(interaction), _known(interaction)
    plan = plan_import(file, await shell.admin.held(place_of(interaction)), known)
    left_out = say(locale, "settings.import_left_out", items=escaped(", ".join(plan.left_out), 300))
    notes = [left_out] if plan.left_out else []
    if not plan.overhaul.changes:
        return Message("\n".join([say(locale, "settings.import_nothing"), *notes]))

    async def act(pressed: Interaction) -> Message:
        try:
            done = await apply_import(pressed.client.shell.admin, asker_of(pressed), file, _known(pressed), plan)
        except ChangedMeanwhile:
            return await _ask_import(pressed, file, "settings.import_meanwhile")
        return all_changed(pressed, say(locale, "settings.import_done", count=len(done.changes) - 1), done)

    asked = listed_changes(say(locale, head), plan.overhaul.changes, locale)
    return replace(asked, content="\n".join([asked.content or "", *notes]), view=Confirm(interaction, act))


async def ask_reset(interaction: Interaction, what: Resettable, *, meanwhile: bool = False) -> Message:
    locale = locale_of(interaction)
    seen = await interaction.client.shell.admin.held(place_of(interaction))

    async def act(pressed: Interaction) -> Message:
        try:
            done = await pressed.client.shell.admin.reset(asker_of(pressed), what, seen)
        except ChangedMeanwhile:
            return await ask_reset(pressed, what, meanwhile=True)
        return all_changed(pressed, change_line(done.change, locale), done)

    question = say(locale, f"settings.ask_reset_{what}")
    told_first = [say(locale, "settings.ask_meanwhile")] if meanwhile else []
    return Message("\n".join([*told_first, question]), view=Confirm(interaction, act))
