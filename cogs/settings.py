"""``/settings``: everything a server's admins decide. Manage Server by default; owners may grant it to other roles."""

from __future__ import annotations

from typing import Literal

import discord
from discord import app_commands

from bot.core.servers.settings_file import MAX_BYTES
from bot.rules.limits.limit import Period
from bot.rules.servers.access import Defaults, Layout, ResultButton
from bot.rules.servers.changes import Listed, Resettable
from bot.rules.servers.edits import looking
from bot.ui.components.forms import REBUILDS
from bot.ui.components.review_buttons import PostReviewed, RefuseReviewed
from bot.ui.interactions.acknowledge import acknowledge, acknowledged, take
from bot.ui.interactions.deadline import answer
from bot.ui.orders.attachments import attached
from bot.ui.panels import refused_words as refused
from bot.ui.panels import review as reviewing
from bot.ui.panels import settings as acts
from bot.ui.panels import settings_limits as limits
from bot.ui.panels.api_key import ApiKeyForm
from bot.ui.panels.refused_words import AddWords, complete_word
from bot.ui.panels.server.items import SERVER_FORMS, SERVER_ITEMS
from bot.ui.panels.server.panel import answer_settings, open_panel
from bot.ui.panels.server.panel import show as shown_page
from bot.ui.panels.settings_options import (
    LimitChannel,
    ListChannel,
    LogChannel,
    Whom,
    complete_any_model,
    complete_default,
)
from bot.ui.panels.welcome import FirstPicture, OpenSettings, PickLog
from bot.ui.shell import HasShell, Interaction

Inter = Interaction
Hideable = Literal["again", "remix", "vary", "edit", "zoom", "pan", "star", "details", "delete"]
Reason = app_commands.Range[str, 1, 200]
Word = app_commands.Range[str, 1, 100]

settings = app_commands.Group(
    name="settings",
    description="Limits, budgets, models, channels and roles",
    guild_only=True,
    allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False),
    default_permissions=discord.Permissions(manage_guild=True),
    allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
)


@settings.command(name="open", description="Everything to set, on pages with menus and buttons")
async def open_(interaction: Inter) -> None:
    """Only the admin sees it."""
    await answer(interaction, open_panel(interaction))


@settings.command(name="show", description="All settings on one page")
async def show_page(interaction: Inter) -> None:
    """Only the admin sees it."""
    await answer(interaction, shown_page(interaction))


# --- limits ------------------------------------------------------------------------------------------------------

WHOM = {
    "role": "Only for members with this role",
    "member": "Only for this member",
    "channel": "Only in this channel, shared by all who use it",
}
REMOVE = "Remove this limit"


@settings.command(name="cooldown", description="Set how long members wait between commands")
@app_commands.describe(seconds="How many seconds; leave out to see the current value", remove=REMOVE, **WHOM)
async def cooldown(
    interaction: Inter,
    seconds: int | None = None,
    role: discord.Role | None = None,
    member: discord.User | None = None,
    channel: LimitChannel | None = None,
    remove: bool = False,
) -> None:
    """0 says "no wait" for a role or member; removed, the next rule outwards decides."""
    await answer_settings(
        interaction, limits.cooldown(interaction, seconds, Whom(role, member, channel), remove=remove)
    )


@settings.command(name="quota", description="Limit pictures per hour, day or month")
@app_commands.describe(
    images="How many pictures; leave out to see the current value", per="Day if left out", remove=REMOVE, **WHOM
)
async def quota(
    interaction: Inter,
    images: int | None = None,
    per: Literal["hour", "day", "month"] = "day",
    role: discord.Role | None = None,
    member: discord.User | None = None,
    channel: LimitChannel | None = None,
    remove: bool = False,
) -> None:
    """Per member for everyone, unless a role, member or channel is named."""
    await answer_settings(
        interaction, limits.quota(interaction, images, Period(per), Whom(role, member, channel), remove=remove)
    )


@settings.command(name="budget", description="Limit spending per day or month")
@app_commands.describe(
    usd="Dollars, such as 12.50; leave out to see the current value", per="Month if left out", remove=REMOVE, **WHOM
)
async def budget(
    interaction: Inter,
    usd: str | None = None,
    per: Literal["day", "month"] = "month",
    role: discord.Role | None = None,
    member: discord.User | None = None,
    channel: LimitChannel | None = None,
    remove: bool = False,
) -> None:
    """For the whole server, unless a role, member or channel is named."""
    await answer_settings(
        interaction, limits.budget(interaction, usd, Period(per), Whom(role, member, channel), remove=remove)
    )


@settings.command(name="concurrency", description="Limit how many jobs a member runs at once")
@app_commands.describe(
    jobs="How many; leave out to see the current value", role=WHOM["role"], member=WHOM["member"], remove=REMOVE
)
async def concurrency(
    interaction: Inter,
    jobs: int | None = None,
    role: discord.Role | None = None,
    member: discord.User | None = None,
    remove: bool = False,
) -> None:
    """Per member for everyone, unless a role or member is named."""
    await answer_settings(interaction, limits.concurrency(interaction, jobs, Whom(role, member), remove=remove))


# --- who, where, with what -----------------------------------------------------------------------------------------


@settings.command(name="models", description="Choose the models that may be used here")
@app_commands.describe(
    allow="Allow only this (and others on the list); all = every model",
    deny="Never allow this one; all = deny none",
    fallback="Whether another model may draw when the chosen one cannot be reached",
)
@app_commands.autocomplete(allow=complete_any_model, deny=complete_any_model)
async def models(
    interaction: Inter, allow: str | None = None, deny: str | None = None, fallback: bool | None = None
) -> None:
    """One model each time."""
    await answer_settings(interaction, acts.put_models(interaction, allow, deny, fallback))


@settings.command(name="defaults", description="Default model, size, quality, format, privacy")
@app_commands.rename(image_format="format")
@app_commands.describe(
    model="none: the operator's choice",
    size="Such as 1024x1024, 16:9, portrait; none: the model's own",
    quality="none: the model's own",
    image_format="none: the model's own",
    private="Whether only the person who asked sees results",
)
@app_commands.autocomplete(
    model=complete_default, size=complete_default, quality=complete_default, image_format=complete_default
)
async def defaults(
    interaction: Inter,
    model: str | None = None,
    size: str | None = None,
    quality: str | None = None,
    image_format: str | None = None,
    private: bool | None = None,
) -> None:
    """Each is checked against the model it will be used with."""
    await answer_settings(
        interaction, acts.put_defaults(interaction, Defaults(model, size, quality, image_format, private))
    )


@settings.command(name="channels", description="Choose the channels pictures may be made in")
@app_commands.describe(
    allow="Allow only here (and other allowed channels)", deny="Never in this channel", clear="Clear both lists first"
)
async def channels(
    interaction: Inter, allow: ListChannel | None = None, deny: ListChannel | None = None, clear: bool = False
) -> None:
    """A rule on a channel holds in its threads, one on a category in its channels."""
    await answer_settings(interaction, acts.put_here(interaction, Listed.CHANNELS, allow, deny, clear))


@settings.command(name="roles", description="Choose the roles that may make pictures")
@app_commands.describe(
    allow="Allow only this role (and other allowed roles)", deny="Never this role", clear="Clear both lists first"
)
async def roles(
    interaction: Inter, allow: discord.Role | None = None, deny: discord.Role | None = None, clear: bool = False
) -> None:
    """A denied role wins over an allowed one."""
    await answer_settings(interaction, acts.put_here(interaction, Listed.ROLES, allow, deny, clear))


@settings.command(name="block", description="Block someone")
@app_commands.describe(member="Whom to block; their running jobs are stopped", reason="Reason, shown to them")
async def block(interaction: Inter, member: discord.User, reason: Reason | None = None) -> None:
    """Somebody who has left can be blocked too: they may come back."""
    await answer(interaction, acts.block(interaction, member.id, reason))


@settings.command(name="unblock", description="Unblock someone")
@app_commands.describe(member="Whom to unblock", reason="Reason, for the audit trail")
async def unblock(interaction: Inter, member: discord.User, reason: Reason | None = None) -> None:
    """The opposite of block."""
    await answer(interaction, acts.unblock(interaction, member.id, reason))


# --- switches ----------------------------------------------------------------------------------------------------


@settings.command(name="moderation", description="Content safety: moderation level, spoilers, age restriction")
@app_commands.describe(
    level="auto: always auto; low: members choose, low if they don't",
    spoiler="Hide every picture until it is clicked",
    age_restricted_only="Pictures only in age-restricted channels",
)
@app_commands.choices(level=[app_commands.Choice(name=one, value=one) for one in ("auto", "low")])
async def moderation(
    interaction: Inter,
    level: str | None = None,
    spoiler: bool | None = None,
    age_restricted_only: bool | None = None,
) -> None:
    """What is left out stays as it is."""
    await answer_settings(interaction, acts.moderation(interaction, level, spoiler, age_restricted_only))


@settings.command(name="previews", description="Turn live previews on or off")
@app_commands.describe(
    enabled="Each preview costs a little; leave out to see the current value",
    remove="Automatic: where they add less than 10% to the price",
)
async def previews(interaction: Inter, enabled: bool | None = None, remove: bool = False) -> None:
    """On, off, or automatic."""
    await answer_settings(interaction, acts.previews(interaction, enabled, remove=remove))


@settings.command(name="look", description="Choose how results look: costs, layout, buttons")
@app_commands.describe(
    cost="Show members what a picture cost",
    layout="embed: framed; plain: text above the pictures",
    hide="Hide this button",
    show="Show this button again",
)
async def look(
    interaction: Inter,
    cost: bool | None = None,
    layout: Literal["embed", "plain"] | None = None,
    hide: Hideable | None = None,
    show: Hideable | None = None,
) -> None:
    """What is left out stays as it is."""
    hidden, shown = (frozenset([ResultButton(one)] if one else []) for one in (hide, show))
    edit = looking(cost, layout and Layout(layout), hide=hidden, show=shown)
    await answer_settings(interaction, acts.look(interaction, edit))


@settings.command(name="review", description="Let moderators look at every picture before it is shown")
@app_commands.describe(
    channel="Where they see it first; leave out to see the current value", remove="Show pictures at once"
)
async def review(interaction: Inter, channel: LogChannel | None = None, remove: bool = False) -> None:
    """Writes there once, to see that it may, and shows there again what still waits."""
    await acknowledge(interaction, private=True)
    await answer_settings(interaction, reviewing.review_in(interaction, channel, remove=remove))


@settings.command(name="words", description="Words that no prompt may hold here; only admins see them")
@app_commands.describe(
    add="A word or phrase; found however it is written", remove="One of the list", clear="Take all off the list first"
)
@app_commands.autocomplete(remove=complete_word)
async def words(interaction: Inter, add: Word | None = None, remove: Word | None = None, clear: bool = False) -> None:
    """Left out: the list, and a form for many at once."""
    await answer(interaction, refused.words(interaction, add, remove, clear=clear))


@settings.command(name="log", description="Where to post setting changes and budget warnings")
@app_commands.describe(channel="Leave out to see the current value", remove="Stop posting")
async def log_channel(interaction: Inter, channel: LogChannel | None = None, remove: bool = False) -> None:
    """Writes there once, to see that it may."""
    await acknowledge(interaction, private=True)
    await answer_settings(interaction, acts.log_to(interaction, channel, remove=remove))


@settings.command(name="apikey", description="Use this server's own API key (opens a form)")
@app_commands.describe(remove="Go back to the operator's key")
async def apikey(interaction: Inter, remove: bool = False) -> None:
    """The key never stands in a command."""
    if remove:
        await answer(interaction, acts.remove_api_key(interaction))
        return
    take(interaction)
    await interaction.response.send_modal(ApiKeyForm(interaction))
    acknowledged(interaction)


@settings.command(name="pause", description="Pause Easel on this server")
@app_commands.describe(reason="Reason, shown to members")
async def pause(interaction: Inter, reason: Reason | None = None) -> None:
    """What is being drawn is still delivered."""
    await answer(interaction, acts.pause(interaction, reason))


@settings.command(name="resume", description="End the pause")
@app_commands.describe(reason="Reason, for the audit trail")
async def resume(interaction: Inter, reason: Reason | None = None) -> None:
    """The opposite of pause."""
    await answer(interaction, acts.resume(interaction, reason))


# --- trail and files -----------------------------------------------------------------------------------------------


@settings.command(name="audit", description="Who changed what, and when")
async def audit(interaction: Inter) -> None:
    """The latest fifty changes."""
    await answer(interaction, acts.audit(interaction))


@settings.command(name="export", description="All settings and limits as a file")
async def export(interaction: Inter) -> None:
    """Without any secret."""
    await answer(interaction, acts.export_file(interaction))


@settings.command(name="import", description="Load settings from a file; shows the changes first")
@app_commands.describe(file="A file made by /settings export")
async def import_(interaction: Inter, file: discord.Attachment) -> None:
    """Nothing is changed before it was confirmed."""
    source = attached(interaction.client.shell, file, "file", max_bytes=MAX_BYTES)
    await answer(interaction, acts.import_file(interaction, source))


@settings.command(name="reset", description="Restore the operator's defaults")
@app_commands.describe(what="Limits, settings or all")
async def reset(interaction: Inter, what: Literal["limits", "settings", "all"]) -> None:
    """Asks first."""
    await answer(interaction, acts.ask_reset(interaction, Resettable(what)))


async def setup(client: HasShell) -> None:
    client.tree.add_command(settings)
    client.add_dynamic_items(PostReviewed, RefuseReviewed, AddWords, FirstPicture, OpenSettings, PickLog)
    client.add_dynamic_items(*SERVER_ITEMS)
    REBUILDS.update({**SERVER_FORMS, **reviewing.SAFETY_FORMS})
