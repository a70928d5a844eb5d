"""Who may use the bot, where, and with which model: what a server's admins set, as data, and the check."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.rules.errors import UserError
from bot.rules.people import Asker


@dataclass(frozen=True, slots=True)
class Block:
    user_id: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What is used where a member chose nothing; None leaves it to the operator's default or the model."""

    model: str | None = None
    size: str | None = None
    quality: str | None = None
    format: str | None = None
    private: bool | None = None


class Layout(StrEnum):
    """How a result is laid out: framed by an embed, or as plain text over the pictures."""

    EMBED = "embed"
    PLAIN = "plain"


class ResultButton(StrEnum):
    """The buttons under a result that a server may hide, as they stand there."""

    AGAIN = "again"
    REMIX = "remix"
    VARY = "vary"
    EDIT = "edit"
    ZOOM = "zoom"
    PAN = "pan"
    STAR = "star"
    DETAILS = "details"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Everything an admin sets but limits. Empty allow-lists mean: all. Denied wins over allowed.

    ``fallback``: whether another model may draw where the first certainly did not. ``previews`` None: by quality (on
    above ``low``). ``moderation`` None: as the member asked.
    ``hidden_buttons`` are named by what is hidden, so that a button that comes with an upgrade is seen.
    ``api_key_hint`` is the last four characters of the server's own key, the key itself stays sealed in the store.
    """

    allowed_models: frozenset[str] = frozenset()
    denied_models: frozenset[str] = frozenset()
    allowed_channels: frozenset[int] = frozenset()
    denied_channels: frozenset[int] = frozenset()
    allowed_roles: frozenset[int] = frozenset()
    denied_roles: frozenset[int] = frozenset()
    blocked: tuple[Block, ...] = ()
    defaults: Defaults = field(default_factory=Defaults)
    moderation: str | None = None
    spoiler: bool = False
    age_restricted_only: bool = False
    previews: bool | None = None
    fallback: bool = True
    show_cost: bool = True
    layout: Layout = Layout.EMBED
    hidden_buttons: frozenset[ResultButton] = frozenset()
    log_channel_id: int | None = None
    paused: bool = False
    pause_reason: str = ""
    refused_words: frozenset[str] = frozenset()
    review_channel_id: int | None = None
    api_key_hint: str | None = None


class DeniedBecause(StrEnum):
    PAUSED = "paused"
    BLOCKED = "blocked"
    CHANNEL = "channel"
    ROLE = "role"
    MODEL = "model"
    AGE = "age"
    NOT_ADMIN = "not_admin"
    NOT_MODERATOR = "not_moderator"
    NOT_YOURS = "not_yours"
    BOT_LACKS = "bot_lacks"  # the bot itself lacks permissions here


class AccessDenied(UserError):
    """A rule of this server, not a limit, stands in the way. ``detail`` is the reason given or the thing denied,
    ``lacks`` the permissions, by Discord's names, without which the bot could not answer here."""

    def __init__(
        self, because: DeniedBecause, detail: str = "", until: datetime | None = None, *, lacks: tuple[str, ...] = ()
    ) -> None:
        super().__init__(f"{because} {detail}{', '.join(lacks)}".strip())
        self.because = because
        self.detail = detail
        self.until = until
        self.lacks = lacks


def model_by_default(defaults: Defaults, operators: str) -> str:
    """The model of a wish that names none: what the server's admins chose, else the operator's."""
    return defaults.model or operators


def may_use_model(settings: ServerSettings, model: str) -> bool:
    """Whether this server's lists let this model through."""
    return model not in settings.denied_models and (not settings.allowed_models or model in settings.allowed_models)


def check_access(settings: ServerSettings, asker: Asker, model: str | None) -> None:
    """Raises ``AccessDenied`` unless this asker may make a picture with this model here and now; or words (None), which
    the lists of models do not speak of.

    A rule on a channel holds in its threads, and one on a category in its channels. ``detail`` is the reason given for
    a pause or a block, else the id of the channel or role, or the model; empty where no single thing is to blame.
    """
    check_person(settings, asker)
    if model is not None and not may_use_model(settings, model):
        raise AccessDenied(DeniedBecause.MODEL, model)


def check_person(settings: ServerSettings, asker: Asker) -> None:
    """The same with whatever model."""
    if settings.paused:
        raise AccessDenied(DeniedBecause.PAUSED, settings.pause_reason)
    for block in settings.blocked:
        if block.user_id == asker.user_id:
            raise AccessDenied(DeniedBecause.BLOCKED, block.reason)
    if settings.age_restricted_only and not asker.age_restricted:
        raise AccessDenied(DeniedBecause.AGE)
    if not _may_use_channel(settings, asker):
        raise AccessDenied(DeniedBecause.CHANNEL, str(asker.channel_id))
    _check_roles(settings, asker)


def _may_use_channel(settings: ServerSettings, asker: Asker) -> bool:
    here = {asker.channel_id, asker.parent_id, asker.category_id}
    if settings.denied_channels and not asker.is_category_known:
        return False
    return not here & settings.denied_channels and (
        not settings.allowed_channels or bool(here & settings.allowed_channels)
    )


def _check_roles(settings: ServerSettings, asker: Asker) -> None:
    # The role @everyone has the id of its server and is not listed with a member's roles.
    roles = asker.role_ids | ({asker.place.guild_id} if asker.place.guild_id is not None else set())
    for role_id in sorted(settings.denied_roles):
        if role_id in roles:
            raise AccessDenied(DeniedBecause.ROLE, str(role_id))
    if settings.allowed_roles and not settings.allowed_roles & roles:
        raise AccessDenied(DeniedBecause.ROLE)
