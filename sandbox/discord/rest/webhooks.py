"""What may be done with an interaction's token for fifteen minutes: @original and follow-ups."""

from __future__ import annotations

from datetime import timedelta

from sandbox.discord import payloads
from sandbox.discord.model import Flags, Interaction, Message
from sandbox.discord.people.interactions import TOKEN_LIFE_S
from sandbox.discord.rest import drafts
from sandbox.discord.rest.call import Answer, Call
from sandbox.discord.rest.errors import refuse
from sandbox.discord.rest.interactions import check, edited, needs_open_thread, new_message
from sandbox.discord.rules.messages import is_empty

MOST_USER_INSTALL_FOLLOWUPS = 5


def _interaction(call: Call) -> Interaction:
    """The acknowledged interaction of the path while its token lives."""
    interaction = call.world.by_token.get(call.params["webhook_token"])
    if interaction is None or call.params["webhook_id"] != str(call.world.application_id):
        raise refuse("unknown webhook")
    call.interaction_id = interaction.id
    if call.world.clock.now() - interaction.created_at > timedelta(seconds=TOKEN_LIFE_S):
        raise refuse("expired token")
    if not interaction.acknowledged:
        raise refuse("unknown webhook")
    if interaction.channel.id not in call.world.channels:
        raise refuse("unknown channel")
    return interaction


def _original(call: Call, interaction: Interaction) -> Message:
    message = interaction.answer
    if message is None or message.deleted:
        raise refuse("unknown message")
    return message


def _message(call: Call, interaction: Interaction) -> Message:
    """@original or one of the interaction's own messages by id."""
    wanted = call.params.get("message_id")
    if wanted is None:
        return _original(call, interaction)
    mine = [m for m in (interaction.answer, interaction.source_message, *interaction.followups) if m is not None]
    found = next((m for m in mine if str(m.id) == wanted and not m.deleted), None)
    if found is None:
        raise refuse("unknown message")
    return found


async def get_message(call: Call) -> Answer:
    interaction = _interaction(call)
    return Answer(200, payloads.message(call.world, _message(call, interaction)))


async def patch_message(call: Call) -> Answer:
    interaction = _interaction(call)
    message = _message(call, interaction)
    needs_open_thread(interaction.channel)
    check(call, interaction, call.body, "webhook edit", message)
    drafts.change(call.world, message, call.body)
    edited(call, message)
    return Answer(200, payloads.message(call.world, message))


async def delete_message(call: Call) -> Answer:
    interaction = _interaction(call)
    call.world.delete_message(_message(call, interaction))
    return Answer(204)


async def followup(call: Call) -> Answer:
    """POST: a new message, except right after a defer, when it becomes the deferred one and takes its visibility."""
    interaction = _interaction(call)
    answer = interaction.answer
    check(call, interaction, call.body, "webhook")
    if is_empty(call.data, call.body.names):
        raise refuse("empty message")
    if answer is not None and answer.loading and not answer.deleted:
        answer.flags |= (call.data.get("flags") or 0) & Flags.COMPONENTS_V2
        drafts.apply(call.world, answer, call.body, fresh=True)
        edited(call, answer)
        return _told(call, answer)
    if interaction.user_install_only and interaction.followups_made >= MOST_USER_INSTALL_FOLLOWUPS:
        raise refuse("too many followups")
    interaction.followups_made += 1
    message = new_message(call, interaction, call.data.get("flags") or 0, is_answer=False)
    drafts.apply(call.world, message, call.body, fresh=True)
    interaction.followups.append(message)
    call.world.put_message(message)
    return _told(call, message)


def _told(call: Call, message: Message) -> Answer:
    # interaction webhooks answer with the message whether or not ``wait`` was asked for
    return Answer(200, payloads.message(call.world, message))
