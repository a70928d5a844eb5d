"""The first answer to an interaction: within three seconds, once, of a kind that fits."""

from __future__ import annotations

import time
from datetime import timedelta

from sandbox.discord import ids, payloads, rights
from sandbox.discord.model import (
    Channel,
    Event,
    Flags,
    Interaction,
    InteractionType,
    Json,
    Message,
    Modal,
)
from sandbox.discord.people.interactions import ANSWER_WITHIN_S
from sandbox.discord.rest import drafts
from sandbox.discord.rest.bodies import Body
from sandbox.discord.rest.call import Answer, Call
from sandbox.discord.rest.errors import refuse
from sandbox.discord.rules.forms import check_choices, check_modal
from sandbox.discord.rules.messages import NEW, Kind, check_defer, check_message, could_ping, is_empty
from sandbox.discord.rules.problems import Problem

MESSAGE, DEFER, DEFER_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
FOR_MESSAGES_ONLY = {DEFER_UPDATE, UPDATE}


async def callback(call: Call) -> Answer:
    """POST /interactions/{id}/{token}/callback."""
    interaction = _open(call)
    kind = call.data.get("type")
    call.reject(_kind_problems(interaction, kind))
    data: Json = call.data.get("data") or {}
    work = {MESSAGE: _message, DEFER: _defer, DEFER_UPDATE: _defer_update, UPDATE: _update}
    if kind == CHOICES:
        _choices(call, interaction, data)
    elif kind == MODAL:
        _modal(call, interaction, data)
    else:
        work[int(kind or 0)](call, interaction, data)
    return _receipt(call, interaction)


def _open(call: Call) -> Interaction:
    """The interaction of the path while it may still be answered."""
    interaction = call.world.by_token.get(call.params["interaction_token"])
    if interaction is None or str(interaction.id) != call.params["interaction_id"]:
        raise refuse("unknown interaction")
    call.interaction_id = interaction.id
    if interaction.acknowledged:
        raise refuse("already acknowledged")
    if call.world.clock.now() - interaction.created_at > timedelta(seconds=ANSWER_WITHIN_S):
        raise refuse("unknown interaction")
    return interaction


def _kind_problems(interaction: Interaction, kind: object) -> list[Problem]:
    wrong = [Problem(("type",), "INTERACTION_RESPONSE_TYPE", f"{kind} does not answer {interaction.type.name}")]
    if kind not in {MESSAGE, DEFER, DEFER_UPDATE, UPDATE, CHOICES, MODAL}:
        return wrong
    if (interaction.type is InteractionType.AUTOCOMPLETE) != (kind == CHOICES):
        return wrong
    if kind == MODAL and interaction.type is InteractionType.MODAL:
        return wrong
    if kind in FOR_MESSAGES_ONLY and not _has_message(interaction):
        return wrong
    return []


def _has_message(interaction: Interaction) -> bool:
    return interaction.type in {InteractionType.COMPONENT, InteractionType.MODAL} and bool(interaction.source_message)


def acknowledge(call: Call, interaction: Interaction, kind: int) -> None:
    """Notes that and how it was answered."""
    interaction.ack_type = kind
    interaction.ack_at = call.world.clock.now()
    interaction.ack_s = time.perf_counter() - interaction.sent_s
    call.world.emit(Event("acknowledged", interaction.channel.id, interaction=interaction, user_id=interaction.user.id))


def new_message(call: Call, interaction: Interaction, flags: int, *, is_answer: bool) -> Message:
    """An empty message of the bot in answer to an interaction, private if the flags or the place want it."""
    world = call.world
    private = bool(flags & Flags.EPHEMERAL) or must_be_private(call, interaction)
    message = Message(
        id=world.ids.make(),
        channel_id=interaction.channel.id,
        author=world.bot,
        flags=(flags & (Flags.LOADING | Flags.COMPONENTS_V2)) | (Flags.EPHEMERAL if private else 0),
        type=_message_type(interaction) if is_answer else 0,
        created_at=world.clock.now(),
        ephemeral_for=interaction.user.id if private else None,
        interaction_id=interaction.id,
        interaction_metadata=payloads.interaction_metadata(interaction, is_answer=is_answer),
        webhook_id=world.application_id,
    )
    source = interaction.source_message
    if is_answer and source is not None and _has_message(interaction):
        message.reference = {"type": 0, "message_id": str(source.id), "channel_id": str(source.channel_id)}
        if interaction.guild is not None:
            message.reference["guild_id"] = str(interaction.guild.id)
    return message


def must_be_private(call: Call, interaction: Interaction) -> bool:
    """A user-installed app only whispers where its person may not use external apps."""
    if not interaction.user_install_only or interaction.guild is None:
        return False
    return not rights.permissions(call.world, interaction.user, interaction.channel) & ids.USE_EXTERNAL_APPS


def _message_type(interaction: Interaction) -> int:
    if _has_message(interaction):
        return 19
    return 23 if interaction.payload["data"].get("type") in {2, 3} else 20


def check(call: Call, interaction: Interaction, body: Body, kind: Kind, message: Message | None = None) -> None:
    """Everything a message body of this interaction must satisfy; raises, and records a possible ping."""
    data: Json = body.data or {}
    before = drafts.standing(message) if message else NEW
    problems = check_message(data, kind, files=body.names, before=before)
    if kind == "callback":
        problems = [Problem(("data", *p.path), p.code, p.message) for p in problems]
    call.reject(problems)
    note_ping(call, data)
    drafts.check_sizes(body, int(interaction.payload["attachment_size_limit"]))


def note_ping(call: Call, data: Json) -> None:
    """Records a message that could mention somebody by accident (Discord takes it)."""
    mention = could_ping(data)
    if mention is not None:
        call.specs.record("rule", f"{call.method} {call.template}", [f"{mention} could ping: allowed_mentions"])


def _message(call: Call, interaction: Interaction, data: Json) -> None:
    body = Body(data, call.body.files)
    check(call, interaction, body, "callback")
    if is_empty(data, body.names):
        raise refuse("empty message")
    message = new_message(call, interaction, data.get("flags") or 0, is_answer=True)
    drafts.apply(call.world, message, body, fresh=True)
    interaction.answer = message
    acknowledge(call, interaction, MESSAGE)
    call.world.put_message(message)


def _defer(call: Call, interaction: Interaction, data: Json) -> None:
    call.reject(check_defer(data))
    flags = (data.get("flags") or 0) | Flags.LOADING
    message = new_message(call, interaction, flags, is_answer=True)
    interaction.answer = message
    interaction.ephemeral_defer = message.ephemeral
    acknowledge(call, interaction, DEFER)
    call.world.put_message(message)


def _defer_update(call: Call, interaction: Interaction, data: Json) -> None:
    interaction.answer = interaction.source_message
    interaction.deferred_update = True
    acknowledge(call, interaction, DEFER_UPDATE)


def _update(call: Call, interaction: Interaction, data: Json) -> None:
    message = interaction.source_message
    if message is None or message.deleted:
        raise refuse("unknown message")
    body = Body(data, call.body.files)
    check(call, interaction, body, "callback", message)
    drafts.change(call.world, message, body)
    interaction.answer = message
    edited(call, message)
    acknowledge(call, interaction, UPDATE)


def edited(call: Call, message: Message) -> None:
    """Counts an edit and tells everybody; a message that was loading is now simply there."""
    was_loading = message.loading
    message.flags &= ~Flags.LOADING
    message.edits += 1
    message.edited_at = None if was_loading else call.world.clock.now()
    call.world.note_message("message_edited", message)
    if call.interaction_id in call.world.interactions:
        call.world.interactions[call.interaction_id].touch()


def _choices(call: Call, interaction: Interaction, data: Json) -> None:
    call.reject(check_choices(data.get("choices"), _focused_type(interaction.payload["data"].get("options") or [])))
    interaction.choices = list(data["choices"])
    acknowledge(call, interaction, CHOICES)
    call.world.emit(Event("choices", interaction.channel.id, interaction=interaction, user_id=interaction.user.id))


def _focused_type(options: list[Json]) -> int:
    for option in options:
        if option.get("focused"):
            return int(option["type"])
        inner = _focused_type(option.get("options") or [])
        if inner:
            return inner
    return 0


def _modal(call: Call, interaction: Interaction, data: Json) -> None:
    call.reject(check_modal(data))
    components = tuple(drafts.components(data["components"]))
    interaction.modal = Modal(data["custom_id"], data["title"], components, interaction)
    acknowledge(call, interaction, MODAL)
    event = Event(
        "modal_opened",
        interaction.channel.id,
        interaction=interaction,
        modal=interaction.modal,
        user_id=interaction.user.id,
    )
    call.world.emit(event)


def _receipt(call: Call, interaction: Interaction) -> Answer:
    if call.query.get("with_response", "0").lower() not in {"1", "true"}:
        return Answer(204)
    shape: Json = {"id": str(interaction.id), "type": int(interaction.type), "channel_id": str(interaction.channel.id)}
    if interaction.guild is not None:
        shape["guild_id"] = str(interaction.guild.id)
    answer = interaction.answer
    receipt: Json = {"interaction": shape}
    if answer is not None:
        shape |= {
            "response_message_id": str(answer.id),
            "response_message_loading": answer.loading,
            "response_message_ephemeral": answer.ephemeral,
        }
        if interaction.ack_type in {MESSAGE, UPDATE}:
            receipt["resource"] = {"type": interaction.ack_type, "message": payloads.message(call.world, answer)}
    return Answer(200, receipt)


def needs_room_for_words(call: Call, channel: Channel) -> None:
    """50008 for places without messages of their own, 160005 for a locked thread."""
    if not channel.holds_messages:
        raise refuse("not a text channel")
    if channel.locked and not rights.permissions(call.world, call.world.bot, channel) & ids.MANAGE_THREADS:
        raise refuse("locked")


def needs_open_thread(channel: Channel) -> None:
    """50083 for what cannot be done in an archived thread."""
    if channel.archived:
        raise refuse("archived")
