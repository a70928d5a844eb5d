"""What each control of the panel changes: the way of the commands, so with their checks, trail and log channel.

Law: an act is applied to what holds now. A menu says what was taken and left against what it showed, so that two admins
at once lose nothing of each other's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from bot.core.servers.admin import NotHere
from bot.rules.servers.access import Defaults, Layout, ResultButton
from bot.rules.servers.changes import Listed
from bot.rules.servers.edits import (
    Edit,
    defaulted,
    logged_to,
    looking,
    moderated,
    opened,
    paused,
    previewed,
    relisted,
    resumed,
    reviewed_in,
    unblocked,
)
from bot.ui.interactions.ids import is_snowflake
from bot.ui.interactions.who import asker_of, check_admin
from bot.ui.panels.review import show_again
from bot.ui.panels.server.answers import Turn, undone
from bot.ui.panels.settings import defaults_edit, notes_on
from bot.ui.panels.settings_options import try_channel
from bot.ui.shell import Interaction
from bot.ui.words.catalogue import say
from bot.ui.words.errors import CannotBlock, StaleButton


@dataclass(frozen=True, slots=True)
class Pressed:
    """What was pressed: the end of the id, what is chosen now, and what the menu showed as chosen."""

    arg: str = ""
    chosen: tuple[str, ...] = ()
    shown: frozenset[str] = frozenset()

    @property
    def one(self) -> str:
        """The only choice. Raises ``StaleButton`` for a forged press without one."""
        if len(self.chosen) != 1:
            raise StaleButton
        return self.chosen[0]

    @property
    def added(self) -> frozenset[str]:
        return frozenset(self.chosen) - self.shown

    @property
    def dropped(self) -> frozenset[str]:
        return self.shown - frozenset(self.chosen)

    @property
    def on(self) -> bool:
        """Whether a switch is to be on."""
        return self.arg == "on"


Act = Callable[[Interaction, Pressed], Awaitable[Turn]]


async def _edited(interaction: Interaction, edit: Edit) -> Turn:
    return Turn((await interaction.client.shell.admin.change(check_admin(interaction), edit),))


def _of(edit: Callable[[Pressed], Edit]) -> Act:
    """An act that is nothing but an edit."""

    async def act(interaction: Interaction, pressed: Pressed) -> Turn:
        return await _edited(interaction, edit(pressed))

    return act


# --- lists -------------------------------------------------------------------------------------------------------


def ids_of(some: frozenset[str]) -> frozenset[int]:
    """Ids that were chosen. Raises ``StaleButton`` for what Discord would not send."""
    if not all(one.isdecimal() and is_snowflake(int(one)) for one in some):
        raise StaleButton
    return frozenset(map(int, some))


def check_ids(interaction: Interaction, which: Listed, ids: frozenset[int]) -> None:
    """Raises ``NotHere`` for a role or channel of another server."""
    server = interaction.client.shell.servers.of(interaction.guild_id)
    if server is None or not ids:
        return
    known = server.channel_ids if which is Listed.CHANNELS else frozenset(server.roles)
    if not ids <= known:
        raise NotHere("channel" if which is Listed.CHANNELS else "role")


async def _relist(which: Listed, side: str, interaction: Interaction, pressed: Pressed) -> Turn:
    added: frozenset[str | int] = pressed.added
    dropped: frozenset[str | int] = pressed.dropped
    if which is Listed.MODELS:
        shell = interaction.client.shell
        for name in pressed.added:
            shell.catalogue.choose(name, official=shell.config.is_official, today=shell.clock().date())
    else:
        check_ids(interaction, which, ids_of(pressed.added))
        added, dropped = frozenset(ids_of(pressed.added)), frozenset(ids_of(pressed.dropped))
    edit = (
        relisted(which, allow=added, drop_allowed=dropped)
        if side == "allow"
        else relisted(which, deny=added, drop_denied=dropped)
    )
    turn = await _edited(interaction, edit)
    return Turn(turn.done, tuple(await notes_on(interaction, which, turn.done[0].change)))


async def _block(interaction: Interaction, pressed: Pressed) -> Turn:
    """Blocks who was added, lets in again who was taken off."""
    shell, asker = interaction.client.shell, check_admin(interaction)
    added, dropped = ids_of(pressed.added), ids_of(pressed.dropped)
    for unblockable in (interaction.user.id, interaction.application_id):
        if unblockable in added:
            raise CannotBlock(themselves=unblockable == interaction.user.id)
    done = [await shell.admin.change(asker, unblocked(one)) for one in sorted(dropped)]
    stopped = 0
    for one in sorted(added):
        change, count = await shell.admin.block(asker, one, "")
        done.append(change)
        stopped += count
    note = say(str(interaction.locale), "settings.jobs_stopped", count=stopped) if stopped else ""
    return Turn(tuple(done), (note,))


# --- defaults, look, log -----------------------------------------------------------------------------------------


def _default(make: Callable[[str], Defaults]) -> Act:
    async def act(interaction: Interaction, pressed: Pressed) -> Turn:
        return await _edited(interaction, await defaults_edit(interaction, make(pressed.one)))

    return act


def _buttons(pressed: Pressed) -> Edit:
    known = set(ResultButton)
    hide, show = ({ResultButton(one) for one in some if one in known} for some in (pressed.dropped, pressed.added))
    return looking(hide=frozenset(hide), show=frozenset(show))


def _previews(pressed: Pressed) -> Edit:
    return previewed({"on": True, "off": False}.get(pressed.one))


def _level(pressed: Pressed) -> Edit:
    if pressed.one not in ("auto", "low", "as_asked"):
        raise StaleButton
    return moderated(None if pressed.one == "as_asked" else pressed.one, None, None)


async def _log(interaction: Interaction, pressed: Pressed) -> Turn:
    """Tries the channel by writing into it before it is kept."""
    (channel_id,) = ids_of(frozenset({pressed.one}))
    check_ids(interaction, Listed.CHANNELS, frozenset({channel_id}))
    await try_channel(interaction, channel_id, "notice.log_here")
    return await _edited(interaction, logged_to(channel_id))


async def _review(interaction: Interaction, pressed: Pressed) -> Turn:
    """The same, and what still waits is shown there again."""
    (channel_id,) = ids_of(frozenset({pressed.one}))
    check_ids(interaction, Listed.CHANNELS, frozenset({channel_id}))
    await try_channel(interaction, channel_id, "review.here", pictures=True)
    turn = await _edited(interaction, reviewed_in(channel_id))
    shell = interaction.client.shell
    shell.tasks.start(show_again(shell, asker_of(interaction).place), "show reviews again")
    return turn


async def _undo(interaction: Interaction, pressed: Pressed) -> Turn:
    who, _, at = pressed.arg.partition(":")
    if not (who.isdecimal() and at.isdecimal() and len(at) <= 16):
        raise StaleButton
    return Turn((await undone(interaction, who, at),))


ACTS: Mapping[str, Act] = {
    **{f"{which}_{side}": partial(_relist, which, side) for which in Listed for side in ("allow", "deny")},
    **{f"{which}_open": _of(lambda _, which=which: opened(which)) for which in Listed},  # type: ignore[misc]
    "default_model": _default(lambda chosen: Defaults(model=chosen)),
    "default_size": _default(lambda chosen: Defaults(size=chosen)),
    "default_quality": _default(lambda chosen: Defaults(quality=chosen)),
    "default_format": _default(lambda chosen: Defaults(format=chosen)),
    "block": _block,
    "cost": _of(lambda pressed: looking(pressed.on)),
    "plain": _of(lambda pressed: looking(layout=Layout.PLAIN if pressed.on else Layout.EMBED)),
    "private": _of(lambda pressed: defaulted(Defaults(private=pressed.on))),
    "buttons": _of(_buttons),
    "previews": _of(_previews),
    "pause": _of(lambda pressed: paused("") if pressed.on else resumed()),
    "level": _of(_level),
    "spoiler": _of(lambda pressed: moderated(None, pressed.on, None)),
    "age": _of(lambda pressed: moderated(None, None, pressed.on)),
    "log": _log,
    "log_off": _of(lambda _: logged_to(None)),
    "review": _review,
    "review_off": _of(lambda _: reviewed_in(None)),
    "undo": _undo,
    "take_back": _undo,  # the same in the trail, where it may stand beside it
}
