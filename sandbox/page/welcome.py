"""What greets somebody new on the page: things to press on a pinned card, and a guide that answers a hello."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.discord import ids
from sandbox.discord.model import Channel, Flags, Json, Message, User
from sandbox.discord.world import World

PHOTO = "photo.jpg"
_GREETING = re.compile(
    r"\s*(hi|hello|hey|hallo|moin|servus|guten (tag|morgen|abend)|hola|bonjour|salut|ciao)\b.{0,40}", re.IGNORECASE
)
_ANSWERS = {
    "en": (
        "Hello {name}! I am the sandbox's guide, not the bot. The bot answers commands: type `/`, or press something "
        "on the card at the top of this channel (the pin shows it, too), such as **{first}**."
    ),
    "de": (
        "Hallo {name}! Ich bin der Wegweiser der Sandbox, nicht der Bot. Der Bot antwortet auf Befehle: Tippe `/`, "
        "oder drück etwas auf der Karte ganz oben im Kanal (die Nadel zeigt sie auch), zum Beispiel **{first}**."
    ),
}


@dataclass(frozen=True, slots=True)
class Step:
    """Something to press. ``labels``, ``lines`` and ``people`` are by language, English the one for all others.

    ``lines``: a command, put into the message box. ``with_photo``: a photo beside it. ``people``: by name, whom one
    becomes before. ``to_faults``: opens the switches of what can go wrong.
    """

    labels: Mapping[str, str]
    lines: Mapping[str, str]
    people: Mapping[str, str]
    with_photo: bool = False
    to_faults: bool = False


@dataclass(frozen=True, slots=True)
class Welcome:
    """The card. ``photo`` makes the one to try edits on, as a JPEG."""

    steps: tuple[Step, ...]
    photo: Callable[[], bytes]

    def card(self, world: World, viewer: User) -> Json:
        """The card as this person is shown it, and where it is pinned."""
        steps = [_shown(world, one, language_of(viewer)) for one in self.steps]
        return {"channel": str(world.town.general.id), "steps": steps}

    def answer(self, world: World, viewer: User, channel: Channel, content: str) -> Message | None:
        """The guide's private answer if somebody only said hello."""
        if not _GREETING.fullmatch(content):
            return None
        language = language_of(viewer)
        first = _in(self.steps[0].labels, language)
        answer = Message(
            id=world.ids.make(),
            channel_id=channel.id,
            author=User(ids.old_id(2020, 1, 1), "guide", "Wegweiser" if language == "de" else "Guide", bot=True),
            content=_ANSWERS[language].format(name=viewer.display_name, first=first),
            flags=Flags.EPHEMERAL,
            created_at=world.clock.now(),
            ephemeral_for=viewer.id,
        )
        world.put_message(answer)
        return answer


def language_of(person: User) -> str:
    """The page's language for somebody."""
    return "de" if person.locale.startswith("de") else "en"


def _in(words: Mapping[str, str], language: str) -> str:
    return words.get(language) or words.get("en", "")


def _shown(world: World, step: Step, language: str) -> Json:
    name = _in(step.people, language)
    person = next((str(one.id) for one in world.users.values() if one.name == name), None)
    return {
        "label": _in(step.labels, language),
        "line": _in(step.lines, language),
        "person": person,
        "photo": f"/welcome/{PHOTO}" if step.with_photo else None,
        "faults": step.to_faults,
    }
