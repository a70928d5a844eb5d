"""Channels and their messages with the bot's own token, where its permissions count."""

from __future__ import annotations

from datetime import timedelta

from sandbox.discord import ids, payloads, rights
from sandbox.discord.model import Channel, ChannelType, Event, Json, Message
from sandbox.discord.rest import drafts
from sandbox.discord.rest.call import Answer, Call
from sandbox.discord.rest.errors import ApiError, refuse
from sandbox.discord.rest.interactions import edited, needs_open_thread, needs_room_for_words, note_ping
from sandbox.discord.rules.messages import check_message, is_empty
from sandbox.discord.rules.problems import Problem

OLD = timedelta(hours=1)
NONCE_LIFE = timedelta(minutes=5)


def _channel(call: Call, *needed: int) -> Channel:
    """The channel of the path if the bot is there and has these permissions."""
    channel = call.world.channels.get(call.number("channel_id"))
    if channel is None:
        raise refuse("unknown channel")
    bits = rights.permissions(call.world, call.world.bot, channel)
    if not bits & ids.VIEW_CHANNEL:
        raise refuse("missing access")
    if any(not bits & one for one in needed):
        raise refuse("missing permissions")
    return channel


def _message(call: Call, channel: Channel) -> Message:
    found = call.world.find_message(channel.id, call.number("message_id"))
    if found is None or found.ephemeral:
        raise refuse("unknown message")
    return found


async def get_channel(call: Call) -> Answer:
    return Answer(200, payloads.channel(call.world, _channel(call)))


async def typing(call: Call) -> Answer:
    channel = _channel(call, ids.SEND_MESSAGES)
    call.world.emit(Event("typing", channel.id, user_id=call.world.bot.id))
    return Answer(204)


async def get_messages(call: Call) -> Answer:
    channel = _channel(call, ids.READ_MESSAGE_HISTORY)
    every = [m for m in call.world.history(channel) if not m.ephemeral]
    chosen = _page(every, call.amount(50, 100), call)
    return Answer(200, [payloads.message(call.world, m) for m in reversed(chosen)])


def _page(every: list[Message], limit: int, call: Call) -> list[Message]:
    """So many of the messages, oldest first: around one, before it, after it, or the newest."""
    around, before, after = call.asked("around"), call.asked("before"), call.asked("after")
    if around is not None:
        older, rest = [m for m in every if m.id < around], [m for m in every if m.id >= around]
        return older[-(limit // 2) :] + rest[: limit - limit // 2] if limit > 1 else rest[:1]
    if after is not None:
        return [m for m in every if m.id > after][:limit]
    return [m for m in every if before is None or m.id < before][-limit:]


async def get_message(call: Call) -> Answer:
    channel = _channel(call, ids.READ_MESSAGE_HISTORY)
    return Answer(200, payloads.message(call.world, _message(call, channel)))


async def post_message(call: Call) -> Answer:
    data = call.data
    needed = [ids.SEND_MESSAGES]
    needed += [ids.ATTACH_FILES] if call.body.files else []
    needed += [ids.EMBED_LINKS] if data.get("embeds") else []
    channel = _channel(call, *needed)
    needs_room_for_words(call, channel)
    if any(person.id in call.world.closed_dms for person in channel.recipients):
        raise refuse("closed dm")
    call.reject(check_message(data, "create", files=call.body.names))
    if is_empty(data, call.body.names):
        raise refuse("empty message")
    note_ping(call, data)
    drafts.check_sizes(call.body, _limit(call, channel))
    again = _same_nonce(call, channel, data)
    if again is not None:
        return Answer(200, payloads.message(call.world, again))
    message = Message(
        id=call.world.ids.make(),
        channel_id=channel.id,
        author=call.world.bot,
        created_at=call.world.clock.now(),
        nonce=data.get("nonce"),
        reference=_reference(call, channel, data.get("message_reference")),
    )
    message.type = 19 if message.reference else 0
    drafts.apply(call.world, message, call.body, fresh=True)
    call.world.put_message(message)
    return Answer(200, payloads.message(call.world, message))


def _limit(call: Call, channel: Channel) -> int:
    guild = call.world.guild_of(channel)
    return guild.upload_limit if guild else call.world.bot.upload_limit


def _same_nonce(call: Call, channel: Channel, data: Json) -> Message | None:
    """The message that already came with this nonce, when the bot asked to have that checked."""
    if not data.get("enforce_nonce") or data.get("nonce") is None:
        return None
    now = call.world.clock.now()
    for message in reversed(call.world.history(channel)):
        fresh = message.created_at is not None and now - message.created_at < NONCE_LIFE
        if fresh and message.nonce == data["nonce"] and message.author == call.world.bot:
            return message
    return None


def _reference(call: Call, channel: Channel, reference: Json | None) -> Json | None:
    if not reference:
        return None
    target = int(reference.get("message_id") or 0)
    if call.world.find_message(int(reference.get("channel_id") or channel.id), target) is None:
        if reference.get("fail_if_not_exists", True):
            call.reject([Problem(("message_reference",), "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message")])
        return None
    shape: Json = {"type": 0, "message_id": str(target), "channel_id": str(channel.id)}
    return shape | ({"guild_id": str(channel.guild_id)} if channel.guild_id else {})


async def patch_message(call: Call) -> Answer:
    channel = _channel(call)
    message = _message(call, channel)
    if message.author != call.world.bot:
        raise refuse("not the author")
    needs_open_thread(channel)
    if call.body.files and not rights.permissions(call.world, call.world.bot, channel) & ids.ATTACH_FILES:
        raise refuse("missing permissions")
    _old_edit(call, channel, message)
    call.reject(check_message(call.data, "edit", files=call.body.names, before=drafts.standing(message)))
    note_ping(call, call.data)
    drafts.check_sizes(call.body, _limit(call, channel))
    drafts.change(call.world, message, call.body)
    edited(call, message)
    return Answer(200, payloads.message(call.world, message))


def _old_edit(call: Call, channel: Channel, message: Message) -> None:
    if message.created_at is None or call.world.clock.now() - message.created_at < OLD:
        return
    standing = call.limits.count("old edit", str(channel.id))
    if standing is not None and not standing.allowed:
        error = refuse("old edits")
        raise ApiError(error.status, error.code, error.message, retry_after_s=round(standing.reset_after_s, 3))


async def delete_message(call: Call) -> Answer:
    channel = _channel(call)
    message = _message(call, channel)
    if message.author != call.world.bot:
        if channel.type is ChannelType.DM:
            raise ApiError(403, 50003, "Cannot execute action on a DM channel")
        if not rights.permissions(call.world, call.world.bot, channel) & ids.MANAGE_MESSAGES:
            raise refuse("missing permissions")
    call.world.delete_message(message)
    return Answer(204)
