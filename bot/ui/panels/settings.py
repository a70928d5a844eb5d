"""What each command under ``/settings`` does, as a reply: old → new, or a question where money is at stake."""

from __future__ import annotations

from dataclasses import replace

from bot.core.servers.admin import Change, Proposal
from bot.core.servers.transfer import ImportPlan, KnownIds, apply_import, export, plan_import
from bot.rules.limits.limit import Limit, Measure, Period, Scope
from bot.rules.people import Place
from bot.rules.servers.access import AccessDenied, Defaults, DeniedBecause, may_use_model
from bot.rules.servers.changes import (
    ListChange,
    Listed,
    checked_defaults,
    defaulted,
    listed,
    told_defaults,
    told_list,
    told_log,
)
from bot.ui.interactions.failures import TROUBLE
from bot.ui.interactions.who import asker_of
from bot.ui.messages import Sheet
from bot.ui.orders.attachments import Source
from bot.ui.pages.settings import Office, audit_page, fitted, page
from bot.ui.panels.confirm import Confirm, Reply
from bot.ui.panels.settings_options import NO_DEFAULT, AnyChannel
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.errors import CannotPost
from bot.ui.words.limits import amount, change_line, slot
from bot.ui.words.text import clean, escaped, inline

AUDIT_ENTRIES = 50
DIFF_ROOM = 1500


def locale_of(interaction: Interaction) -> str:
    return str(interaction.locale)


def place_of(interaction: Interaction) -> Place:
    return asker_of(interaction).place


def changed(interaction: Interaction, change: Change, *notes: str) -> Reply:
    """Old → new, and what else the admin should know."""
    interaction.client.shell.settings_cache.forget(place_of(interaction))
    return Reply("\n".join([change_line(change, locale_of(interaction)), *(note for note in notes if note)]))


# --- looking -----------------------------------------------------------------------------------------------------


async def show(interaction: Interaction) -> Reply:
    shell, asker = interaction.client.shell, asker_of(interaction)
    known = _known_ids(interaction)

    def exists(scope: Scope, subject_id: int) -> bool:
        here = {Scope.ROLE: known.roles, Scope.CHANNEL: known.channels}.get(scope)
        return not here or subject_id in here

    office = Office(
        settings=await shell.store.settings(asker.place),
        limits=await shell.store.limits(asker.place),
        standings=await shell.store.standings(asker, shell.clock()),
        default_model=shell.config.default_model,
        exists=exists,
        locale=locale_of(interaction),
    )
    return Reply(embed=page(office))


async def audit(interaction: Interaction) -> Reply:
    entries = await interaction.client.shell.store.audit(place_of(interaction), AUDIT_ENTRIES)
    return Reply(embed=audit_page(entries, locale_of(interaction)))


def _known_ids(interaction: Interaction) -> KnownIds:
    guild = interaction.guild
    if guild is None:
        return KnownIds(frozenset(), frozenset())
    rooms = (*guild.channels, *guild.threads)
    return KnownIds(frozenset(role.id for role in guild.roles), frozenset(room.id for room in rooms))


# --- limits ------------------------------------------------------------------------------------------------------


async def limit(interaction: Interaction, wanted: Limit) -> Reply:
    """Sets a limit, after a question where it raises what can be spent or removes a budget."""
    asker, locale = asker_of(interaction), locale_of(interaction)
    proposal = await interaction.client.shell.admin.propose_limit(asker.place, wanted)
    question = _question(proposal)
    if question is None:
        return changed(
            interaction, await interaction.client.shell.admin.set_limit(asker, proposal), _zero(wanted, locale)
        )

    async def act(pressed: Interaction) -> str:
        change = await pressed.client.shell.admin.set_limit(asker_of(pressed), proposal)
        return changed(pressed, change, _zero(wanted, locale)).text or ""

    new = None if proposal.remove else wanted
    line = say(
        locale, "limit.change", what=slot(wanted, locale), old=amount(proposal.old, locale), new=amount(new, locale)
    )
    return Reply(f"{line}\n{say(locale, question)}", view=Confirm(interaction, act))


def _question(proposal: Proposal) -> str | None:
    old, new = proposal.old, proposal.limit
    if old is not None and old.amount is not None and new.amount is None and new.measure is Measure.DOLLARS:
        return "settings.ask_no_budget"
    return "settings.ask_raise" if proposal.raises_spending else None


def _zero(limit: Limit, locale: str) -> str:
    nothing = limit.amount == 0 and limit.window.period is not Period.SECONDS
    return say(locale, "settings.zero") if nothing else ""


# --- lists and defaults --------------------------------------------------------------------------------------------


async def put_on_list(interaction: Interaction, which: Listed, change: ListChange) -> Reply:
    """Allows or denies; without any option, says what holds."""
    shell, asker, locale = interaction.client.shell, asker_of(interaction), locale_of(interaction)
    told = told_list(which)
    if change.is_empty:
        now = told(await shell.store.settings(asker.place))
        return Reply(change_line(Change(which, now, now), locale))
    done = await shell.admin.change(asker, which, listed(which, change), told)
    settings = await shell.store.settings(asker.place)
    default = settings.defaults.model or shell.config.default_model
    warn = which == "models" and not may_use_model(settings, default)
    return changed(interaction, done, say(locale, "settings.default_denied", model=inline(default)) if warn else "")


async def put_models(interaction: Interaction, change: ListChange) -> Reply:
    """The same for models, which must be known to be put on a list. Raises ``NoSuchModel``."""
    shell = interaction.client.shell
    settings = await shell.store.settings(place_of(interaction))
    for name in (change.allow, change.deny):
        listed_already = name in settings.allowed_models or name in settings.denied_models
        if name not in (None, "all") and not listed_already and shell.catalogue.get(str(name)) is None:
            shell.catalogue.choose(str(name), official=shell.config.is_official, today=shell.clock().date())
    return await put_on_list(interaction, "models", change)


async def put_defaults(interaction: Interaction, asked: Defaults) -> Reply:
    """Sets what is given, checked against the model it will be used with; ``none`` takes one back."""
    shell, asker, locale = interaction.client.shell, asker_of(interaction), locale_of(interaction)
    settings = await shell.store.settings(asker.place)
    if asked == Defaults():
        now = told_defaults(settings)
        return Reply(change_line(Change("defaults", now, now), locale))
    texts = ("model", "size", "quality", "format")
    dropped = {name: None for name in texts if (getattr(asked, name) or "").strip().lower() == NO_DEFAULT}
    wanted = replace(asked, **dropped)
    named = wanted.model or (None if "model" in dropped else settings.defaults.model) or shell.config.default_model
    model = shell.catalogue.choose(named, official=shell.config.is_official, today=shell.clock().date())
    if wanted.model is not None and not may_use_model(settings, model.id):
        raise AccessDenied(DeniedBecause.MODEL, model.id)
    checked = checked_defaults(wanted, model)
    put = defaulted(replace(checked, model=model.id) if wanted.model is not None else checked)
    change = await shell.admin.change(
        asker, "defaults", lambda s: put(replace(s, defaults=replace(s.defaults, **dropped))), told_defaults
    )
    return changed(interaction, change)


# --- log, file, reset ----------------------------------------------------------------------------------------------


async def log_to(interaction: Interaction, channel: AnyChannel | None) -> Reply:
    """Tries the channel by writing into it before it is kept. Raises ``CannotPost``."""
    asker = asker_of(interaction)
    channel_id = None if channel is None else channel.id
    if channel_id is not None and interaction.guild_id is not None:
        target = interaction.client.get_partial_messageable(channel_id, guild_id=interaction.guild_id)
        try:
            await target.send(say(str(interaction.guild_locale or "en"), "notice.log_here"))
        except TROUBLE:
            raise CannotPost(channel_id) from None
    change = await interaction.client.shell.admin.change(
        asker, "log", lambda settings: replace(settings, log_channel_id=channel_id), told_log
    )
    return changed(interaction, change)


async def export_file(interaction: Interaction) -> Reply:
    store, place = interaction.client.shell.store, place_of(interaction)
    data = export(await store.settings(place), await store.limits(place))
    return Reply(say(locale_of(interaction), "settings.export_done"), sheets=(Sheet("easel-settings.json", data),))


async def import_file(interaction: Interaction, file: Source) -> Reply:
    """What the file would change, to be confirmed. Raises ``BadUpload`` or ``BadImport``."""
    store, place, locale = interaction.client.shell.store, place_of(interaction), locale_of(interaction)
    data = await file.read()
    plan = plan_import(data, await store.settings(place), await store.limits(place), _known_ids(interaction))
    left_out = say(locale, "settings.import_left_out", items=escaped(", ".join(plan.left_out), 300))
    notes = [left_out] if plan.left_out else []
    if not plan.changes:
        return Reply("\n".join([say(locale, "settings.import_nothing"), *notes]))

    async def act(pressed: Interaction) -> str:
        change = await apply_import(pressed.client.shell.admin, asker_of(pressed), plan)
        done = say(locale, "settings.import_done", count=len(plan.changes))
        return f"{done}\n{changed(pressed, change).text}"

    lines = [f"- {change_line(one, locale)}" for one in plan.changes]
    text = fitted(lines, DIFF_ROOM, locale)
    sheets = () if text == "\n".join(lines) else (Sheet(say(locale, "settings.imported_list"), _as_file(plan)),)
    head = say(locale, "settings.import_title")
    return Reply("\n".join([head, text, *notes]), view=Confirm(interaction, act), sheets=sheets)


def _as_file(plan: ImportPlan) -> bytes:
    return "\n".join(f"{one.what}: {one.old} -> {one.new}" for one in plan.changes).encode("utf-8", "replace")


async def ask_reset(interaction: Interaction, what: str) -> Reply:
    locale = locale_of(interaction)

    async def act(pressed: Interaction) -> str:
        change = await pressed.client.shell.admin.reset(asker_of(pressed), what)
        return changed(pressed, change).text or ""

    return Reply(say(locale, f"settings.ask_reset_{what}"), view=Confirm(interaction, act))


async def block(interaction: Interaction, user_id: int, reason: str) -> Reply:
    change, stopped = await interaction.client.shell.admin.block(asker_of(interaction), user_id, clean(reason))
    note = say(locale_of(interaction), "settings.jobs_stopped", count=stopped) if stopped else ""
    return changed(interaction, change, note)
