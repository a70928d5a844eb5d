"""The faults a person can switch on from the page: each with a name, a sentence, and what it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sandbox.discord.faults import ANY_EDIT, FIRST_ANSWER, RESULT_EDIT, Faults, Target
from sandbox.discord.faults import Fault as DiscordFault
from sandbox.images import FAULTS, ImageService, Rule
from sandbox.images.faults import Delay
from sandbox.images.faults import Fault as ImageFault

Where = Literal["images", "discord"]


@dataclass(frozen=True, slots=True)
class Switch:
    """A fault on the page. ``image`` is what the image service does, ``discord`` a request that fails and how."""

    id: str
    where: Where
    label: str
    about: str
    image: ImageFault | None = None
    discord: tuple[Target, int, float, bool, int] | None = None


def _image(name: str, label: str, about: str) -> Switch:
    return Switch(name, "images", label, about, image=FAULTS[name])


SWITCHES: tuple[Switch, ...] = (
    Switch("slow", "images", "Slow service", "A picture takes eight seconds longer.", image=Delay("slow", 8.0)),
    _image("rate_limited", "Rate limit (429)", "Too many pictures a minute; try again in two seconds."),
    _image("insufficient_quota", "No money left (429)", "The key's quota is used up: must never be retried."),
    _image("moderation_blocked", "Safety system, prompt", "The prompt is refused before anything is drawn."),
    _image("moderation_blocked_output", "Safety system, picture", "The finished picture is refused."),
    _image("bad_key", "Wrong key (401)", "The answer contains a piece of the key, which nobody may see."),
    _image("server_error", "Server error (500)", "The service failed."),
    _image("bad_gateway", "Bad gateway (502)", "A web page instead of an answer."),
    _image("gateway_timeout", "Gateway time-out (504)", "May have been drawn and billed all the same."),
    _image("drop_mid_body", "Connection lost", "The answer breaks off in the middle."),
    _image("stream_break", "Broken stream", "The stream ends after the first preview."),
    _image("stream_ends_early", "Stream ends too early", "It ends cleanly, but without the picture."),
    _image("stream_ignored", "No streaming", "The service answers at once, without previews."),
    _image("html_200", "A web page as success", "Status 200, and HTML instead of JSON."),
    _image("data_empty", "Empty answer", "Status 200 without a picture."),
    _image("truncated_picture", "Cut-off picture", "The bytes end in the middle of the picture."),
    _image("url_expired", "Expired link", "A link instead of the picture, and it is dead."),
    _image("never", "Never answers", "The service is silent until the time is over."),
    Switch(
        "callback_slow", "discord", "Slow acknowledgement", "Discord takes the first answer 2.5 seconds late.",
        discord=(FIRST_ANSWER, 0, 2.5, False, 0),
    ),
    Switch(
        "callback_unknown", "discord", "Interaction forgotten (10062)", "Discord no longer knows the interaction.",
        discord=(FIRST_ANSWER, 404, 0.0, False, 10062),
    ),
    Switch(
        "edit_500", "discord", "Delivery fails (500)", "Discord fails to take the result.",
        discord=(RESULT_EDIT, 500, 0.0, False, 0),
    ),
    Switch(
        "edit_taken_500", "discord", "Delivered, but says 500", "Discord took the result and answers with an error.",
        discord=(RESULT_EDIT, 500, 0.0, True, 0),
    ),
    Switch(
        "edit_429", "discord", "Discord's rate limit (429)", "Edits must wait.",
        discord=(ANY_EDIT, 429, 0.0, False, 0),
    ),
    Switch(
        "expired_token", "discord", "Token expired (50027)", "The fifteen minutes of the interaction are over.",
        discord=(ANY_EDIT, 401, 0.0, False, 50027),
    ),
)  # fmt: skip
_ALWAYS = 1_000_000


class Switchboard:
    """What is switched on: once (the next call) or always. Either side may be absent."""

    def __init__(self, images: ImageService | None, faults: Faults | None) -> None:
        self._images, self._faults = images, faults
        self._rules: dict[str, Rule] = {}
        self._discord: dict[str, DiscordFault] = {}

    def listed(self) -> list[dict[str, object]]:
        """Every switch there is here, with its present setting."""
        here = {"images": self._images is not None, "discord": self._faults is not None}
        return [
            {"id": one.id, "where": one.where, "label": one.label, "about": one.about, "setting": self.setting(one.id)}
            for one in SWITCHES
            if here[one.where]
        ]

    def setting(self, switch_id: str) -> str:
        """off, once or always."""
        rule, fault = self._rules.get(switch_id), self._discord.get(switch_id)
        if rule is not None and self._images is not None and rule in self._images.rules:
            return "always" if rule.times is None else "once"
        if fault is not None and self._faults is not None and fault in self._faults.active:
            return "always" if fault.left > 1000 else "once"
        return "off"

    def turn(self, switch_id: str, setting: str) -> None:
        """Sets a switch. ``KeyError`` for one that does not exist."""
        switch = {one.id: one for one in SWITCHES}[switch_id]
        self._off(switch_id)
        if setting == "off":
            return
        if switch.image is not None and self._images is not None:
            rule = Rule(switch.image, None if setting == "always" else 1)
            self._rules[switch_id] = rule
            self._images.rules.append(rule)
        if switch.discord is not None and self._faults is not None:
            target, status, delay_s, after, code = switch.discord
            self._discord[switch_id] = self._faults.fail_next(
                target,
                status=status,
                times=_ALWAYS if setting == "always" else 1,
                delay_s=delay_s,
                after_taking=after,
                code=code,
            )

    def all_off(self) -> None:
        """Everything works again."""
        for switch in SWITCHES:
            self._off(switch.id)

    def _off(self, switch_id: str) -> None:
        rule, fault = self._rules.pop(switch_id, None), self._discord.pop(switch_id, None)
        if rule is not None and self._images is not None and rule in self._images.rules:
            self._images.rules.remove(rule)
        if fault is not None and self._faults is not None and fault in self._faults.active:
            self._faults.active.remove(fault)
