"""Pages of the gallery: what one viewer may see of a place, newest first, as a contact sheet with links.

Law: a picture is shown only to whoever could open its message anyway: own ones, and public ones of channels the viewer
can read. Paging is by the last job seen, so nothing shifts while new pictures arrive.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import discord

from bot.imaging.sheets import contact_sheet
from bot.imaging.threads import offload
from bot.ports import Look
from bot.rules.errors import NotFound
from bot.rules.ledger import Job
from bot.rules.people import Asker
from bot.ui.components.job_buttons import claim_view
from bot.ui.components.press import Press, button, chosen
from bot.ui.interactions.acknowledge import acknowledge, acknowledged, tell_message
from bot.ui.interactions.bounds import Bounded, check_bound
from bot.ui.interactions.ids import is_snowflake
from bot.ui.interactions.who import asker_of, in_server
from bot.ui.internals import role_ids_of
from bot.ui.messages import File, Message, opened
from bot.ui.pages.links import is_private, jump_link
from bot.ui.pages.result import COLOUR, ai_notice
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.text import ALT_LIMIT, clean, cut, escaped, length
from bot.ui.words.titles import title_of

PER_PAGE = 9
LOOKED_AT = 45
"""Jobs read at a time while pictures the viewer may not see are left out."""

MOST_LOOKS = 6
SEARCH_LIMIT = 40
PROMPT_ROOM = 140
SHEET = "gallery.png"

Read = Callable[["Filter", str | None, int], Awaitable[Look]]
"""(what is looked for, before, limit) to jobs, newest first."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What is looked for. ``before`` is the last job of the page before; None is the newest page. ``favourites``: only
    what the viewer marked."""

    member_id: int | None = None
    search: str = ""
    before: str | None = None
    favourites: bool = False

    @property
    def custom_id(self) -> str:
        """Everything about a page, in at most 100 characters."""
        return f"e1:gallery:{self.page}"

    @property
    def page(self) -> str:
        return f"{'*' if self.favourites else ''}{self.member_id or ''}:{self.before or ''}:{self.search}"


PAGE = r"(?P<star>\*?)(?P<member>\d{0,20}):(?P<before>[A-Za-z0-9_-]{0,40}):(?P<search>.{0,80})"


def searched(typed: str | None) -> str:
    """What is searched for, no longer than a button can carry."""
    text = " ".join((typed or "").split())
    while length(text) > SEARCH_LIMIT:
        text = text[:-1]
    return text


@dataclass(frozen=True, slots=True)
class Page:
    """``next_before`` continues after this page; None: it is the last one."""

    jobs: tuple[Job, ...]
    next_before: str | None


async def read_page(read: Read, wanted: Filter, may_see: Callable[[Job], bool]) -> Page:
    """Up to nine jobs the viewer may see. Where many are hidden, or a search finds little among very many, a page may
    hold fewer and still have a next.
    """
    found: list[Job] = []
    before = wanted.before
    for _ in range(MOST_LOOKS):
        look = await read(wanted, before, LOOKED_AT)
        for job in look.jobs:
            if may_see(job):
                if len(found) == PER_PAGE:
                    return Page(tuple(found), found[-1].id)
                found.append(job)
        before = look.next_before
        if before is None:
            break
    return Page(tuple(found), before)


# --- who may see what --------------------------------------------------------------------------------------------


def sight_of(interaction: Interaction, asker: Asker) -> Callable[[Job], bool]:
    """Which jobs of this place the person behind the interaction may see, here."""
    open_channels: dict[int, bool] = {}

    def may_see(job: Job) -> bool:
        if job.asker.age_restricted and not asker.age_restricted:
            return False  # not in a channel for everybody
        if job.asker.user_id == asker.user_id:
            return True
        if job.request.private or not asker.place.is_server:
            return False
        channel_id = job.asker.channel_id
        if channel_id not in open_channels:
            open_channels[channel_id] = can_read(interaction, channel_id)
        return open_channels[channel_id]

    return may_see


def can_read(interaction: Interaction, channel_id: int) -> bool:
    """Whether the person could read what was said in that channel before, as Discord has it now. What is not known (an
    archived thread, a thread of a channel that is gone) counts as closed."""
    if channel_id == interaction.channel_id:
        may = interaction.permissions
        return may.administrator or (may.view_channel and may.read_message_history)
    server, member = interaction.client.shell.servers.of(interaction.guild_id), interaction.user
    if not in_server(interaction) or server is None or not isinstance(member, discord.Member):
        return False
    room = server.rooms.get(channel_id)
    may = server.may(member.id, role_ids_of(member), channel_id, in_timeout=member.is_timed_out())
    if room is not None and room.is_private_thread and not may.manage_threads:
        return False  # its members are not known here
    return may.view_channel and may.read_message_history


# --- showing -----------------------------------------------------------------------------------------------------


async def show_first(interaction: Interaction, wanted: Filter) -> None:
    """Answers a command with the newest page, in private."""
    check_bound(interaction, Bounded.PAGE)
    await acknowledge(interaction, private=True)
    await tell_message(interaction, await _page(interaction, wanted))


async def turn(interaction: Interaction, wanted: Filter) -> None:
    """Replaces the page under a button."""
    check_bound(interaction, Bounded.PAGE)
    await interaction.response.defer()
    acknowledged(interaction)
    page = await _page(interaction, wanted)
    with opened(page.files) as files:
        await interaction.edit_original_response(embed=page.embed, view=page.view, attachments=files)


async def _page(interaction: Interaction, wanted: Filter) -> Message:
    shell = interaction.client.shell
    asker = asker_of(interaction)

    async def read(filtered: Filter, before: str | None, limit: int) -> Look:
        return await shell.store.jobs.gallery(
            asker.place,
            member_id=filtered.member_id,
            search=filtered.search or None,
            before=before,
            limit=limit,
            favourites_of=asker.user_id if filtered.favourites else None,
        )

    page = await read_page(read, wanted, sight_of(interaction, asker))
    liked = await shell.store.jobs.favourites_among(asker.user_id, [job.id for job in page.jobs])
    waiting = await shell.store.jobs.waiting(asker.place, asker.user_id) if wanted.before is None else []
    sheet = await _sheet(interaction, page.jobs)
    looks = await shell.settings_cache.looks(asker.place)
    embed = _embed(page, liked, waiting, wanted, asker, with_sheet=sheet is not None and not looks.spoiler)
    if wanted.before is None and (held := await _held(interaction, asker)):
        name = say(asker.locale, "gallery.held", count=held)
        embed.add_field(name=name, value=say(asker.locale, "gallery.held_note"), inline=False)
    if sheet is not None:
        embed.set_footer(text=ai_notice(shell.config.ai_notice, asker.locale) or None)
    alt = clean("; ".join(f"{n}: {_prompt(job, asker.locale)}" for n, job in enumerate(page.jobs, 1)), ALT_LIMIT)
    files = (File(SHEET, sheet, alt, looks.spoiler),) if sheet is not None else ()
    return Message(embed=embed, files=files, view=_view(waiting, wanted, page, liked, asker.locale))


async def _held(interaction: Interaction, asker: Asker) -> int:
    """How many jobs of the person's here wait for the moderators: nobody sees those, and they would seem lost."""
    reviews = await interaction.client.shell.store.reviews.of_maker(asker.user_id)
    return sum(one.place_key == asker.place.key and not one.approved for one in reviews)


async def _sheet(interaction: Interaction, jobs: Sequence[Job]) -> bytes | None:
    """The first picture of each job in a grid; None when no original is kept any more."""
    pictures = interaction.client.shell.pictures
    lane = asker_of(interaction).place.key
    small = [await pictures.small(job.id, lane=lane) for job in jobs]
    return await offload(lane, contact_sheet, [one or b"" for one in small]) if any(small) else None


def _embed(
    page: Page, liked: frozenset[str], waiting: Sequence[Job], wanted: Filter, asker: Asker, *, with_sheet: bool
) -> discord.Embed:
    locale = asker.locale
    lines = [_line(number, job, locale, liked=job.id in liked) for number, job in enumerate(page.jobs, 1)]
    lines = lines or [_nothing(page, wanted, asker)]
    embed = discord.Embed(title=_title(wanted, asker), description="\n".join(lines), colour=COLOUR)
    if waiting:
        told = [f"**{n}** · {escaped(_prompt(job, locale), PROMPT_ROOM)}" for n, job in enumerate(waiting[:5], 1)]
        name = say(locale, "gallery.waiting", count=len(waiting))
        embed.add_field(name=name, value=cut("\n".join(told), 1024), inline=False)
    if with_sheet:
        embed.set_image(url=f"attachment://{SHEET}")
    return embed


def _nothing(page: Page, wanted: Filter, asker: Asker) -> str:
    """Why the page is empty, and what fills it."""
    locale = asker.locale
    if wanted.before is not None or page.next_before is not None:
        return say(locale, "gallery.none_more")
    if wanted.search:
        return say(locale, "gallery.no_match", search=escaped(wanted.search, 80))
    if wanted.favourites:
        return say(locale, "gallery.no_favourites")
    return say(locale, "gallery.none_such" if wanted.member_id not in (None, asker.user_id) else "gallery.none")


def _title(wanted: Filter, asker: Asker) -> str:
    key = "gallery.mine" if wanted.member_id == asker.user_id else "gallery.title"
    key = "gallery.favourites" if wanted.favourites else key
    title = say(asker.locale, key)
    return f"{title} · {clean(wanted.search, 60)}" if wanted.search else title


def _line(number: int, job: Job, locale: str, *, liked: bool) -> str:
    link = jump_link(job)
    when = f"<t:{int(job.created_at.timestamp())}:R>"
    is_hidden = is_private(job) or job.message_channel_id is None
    unlinked = say(locale, "gallery.private") if is_hidden else f"<#{job.message_channel_id}>"
    where = f"[{say(locale, 'gallery.open')}]({link})" if link else unlinked
    star = "★ " if liked else ""
    return (
        f"**{number}** · {star}{escaped(_prompt(job, locale), PROMPT_ROOM)}\n<@{job.asker.user_id}> · {when} · {where}"
    )


def _prompt(job: Job, locale: str) -> str:
    return title_of(job.request, locale)


def _view(waiting: Sequence[Job], wanted: Filter, page: Page, liked: frozenset[str], locale: str) -> discord.ui.View:
    view = claim_view(list(waiting), locale)
    if page.jobs:
        view.add_item(Stars(_stars(wanted, page.jobs, liked, locale)))
    if wanted.before is not None:
        newest = replace(wanted, before=None)
        view.add_item(GalleryPage(button(newest.custom_id, say(locale, "gallery.newest"), emoji="⏮️")))
    if page.next_before is not None:
        older = replace(wanted, before=page.next_before)
        view.add_item(GalleryPage(button(older.custom_id, say(locale, "gallery.older"), emoji="▶️")))
    return view


def _stars(wanted: Filter, jobs: Sequence[Job], liked: frozenset[str], locale: str) -> discord.ui.Select[Any]:
    """A menu of the page's pictures; the chosen ones are the favourites."""
    options = [
        discord.SelectOption(
            label=cut(f"{number} · {clean(_prompt(job, locale)) or '–'}", 100).replace("\n", " "),
            value=job.id,
            default=job.id in liked,
        )
        for number, job in enumerate(jobs, 1)
    ]
    return discord.ui.Select(
        custom_id=f"e1:stars:{wanted.page}",
        placeholder=say(locale, "gallery.stars")[:150],
        options=options,
        min_values=0,
        max_values=len(options),
    )


class OfPage(Press, template=r"(?!)"):
    """A control that knows the page it stands on."""

    @property
    def wanted(self) -> Filter:
        """Raises ``NotFound`` for a member that cannot be."""
        member = int(self.part("member") or 0) or None
        if member is not None and not is_snowflake(member):
            raise NotFound("picture")
        return Filter(member, self.part("search"), self.part("before") or None, bool(self.part("star")))


class GalleryPage(OfPage, template=rf"e1:gallery:{PAGE}"):
    """Another page of the same search; whoever presses sees what they may see, not what the first viewer could."""

    async def press(self, interaction: Interaction) -> None:
        await turn(interaction, self.wanted)


class Stars(OfPage, template=rf"e1:stars:{PAGE}"):
    """Makes the chosen pictures of the page one's favourites, and the others of it none."""

    is_harmless_twice = True

    async def press(self, interaction: Interaction) -> None:
        wanted, asker = self.wanted, asker_of(interaction)
        may_see, store = sight_of(interaction, asker), interaction.client.shell.store
        picked = frozenset(chosen(interaction))
        for job_id in _listed(interaction, self.custom_id):
            job = await store.jobs.get(job_id)
            here = job is not None and job.asker.place.key == asker.place.key and not job.deleted and may_see(job)
            if here or job_id not in picked:
                await store.jobs.mark(asker.user_id, job_id, job_id in picked)
        await turn(interaction, wanted)


def _listed(interaction: Interaction, custom_id: str) -> tuple[str, ...]:
    """The jobs in the menu that was used, as the message has it: nobody can add to that."""
    rows = interaction.message.components if interaction.message is not None else []
    menus = [child for row in rows if isinstance(row, discord.ActionRow) for child in row.children]
    return tuple(
        option.value
        for menu in menus
        if isinstance(menu, discord.SelectMenu) and menu.custom_id == custom_id
        for option in menu.options[:PER_PAGE]
    )
