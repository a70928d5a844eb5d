"""What goes wrong in the soak: every fault that the sandbox knows, each drawn once before any is drawn again.

Law: no fault is named here that the sandbox names; one that is added there is drawn from then on.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sandbox.discord import faults as discord_faults
from sandbox.discord.faults import REFUSALS, Fault, Target
from sandbox.discord.server import Server
from sandbox.images import ImageService
from sandbox.images.faults import FAULTS

Drawn = TypeVar("Drawn")

CLOSE_THE_SHOP = frozenset({"insufficient_quota", "billing_hard_limit", "bad_key"})
"""After one of these nothing is drawn for minutes: they come last."""

TARGETS: dict[str, Target] = {name: value for name, value in vars(discord_faults).items() if isinstance(value, Target)}
WAYS: dict[str, dict[str, Any]] = {
    "500": {"status": 500},
    "500 after taking": {"status": 500, "after_taking": True},
    "502 after taking": {"status": 502, "after_taking": True},
    "503": {"status": 503},
    "reset": {"drop": True},
    "reset after taking": {"drop": True, "after_taking": True},
    "429": {"status": 429},
    "429 for everything": {"status": 429, "globally": True},
    "429 of the network": {"status": 429, "via": False},
    "413": {"status": 413},
    "late": {"status": 0, "delay_s": 1.5},
    "too late": {"status": 0, "delay_s": 4.0},
    "unknown webhook": {"status": 404, "code": 10015},
    "unknown message": {"status": 404, "code": 10008},
    **{name: {"status": status, "code": code, "message": words} for name, (status, code, words) in REFUSALS.items()},
}
"""Every way in which a request can fail, by name."""

OF_FIRST_ANSWERS: dict[str, dict[str, Any]] = {
    "unknown interaction": {"status": 404, "code": 10062},
    "acknowledged already": {"status": 400, "code": 40060, "after_taking": True},
}


class Harm:
    """Does harm to one sandbox, and remembers what was met."""

    def __init__(self, discord: Server, images: ImageService, dice: random.Random) -> None:
        self._discord = discord
        self._images = images
        self._dice = dice
        self._service = deck(sorted(FAULTS.keys() - CLOSE_THE_SHOP), dice)
        self._of_discord = deck(
            [(target, way) for target in TARGETS for way in WAYS] + [("FIRST_ANSWER", way) for way in OF_FIRST_ANSWERS],
            dice,
        )
        gateway = discord.gateway
        self._gateway = deck(
            [gateway.drop, gateway.reconnect, gateway.invalidate, lambda: gateway.refuse(2), self._break_session], dice
        )
        self._of_places = deck([self._turn_outage, self._close_a_thread], dice)
        self._set: list[tuple[str, Fault]] = []
        self.done: Counter[str] = Counter()

    def do(self) -> None:
        """The next fault of a kind chosen by chance."""
        kind = self._dice.choices(["service", "discord", "gateway", "place"], [6, 8, 1, 1])[0]
        self.done[f"fault: {kind}"] += 1
        match kind:
            case "service":
                self._images.fail_next(next(self._service))
            case "discord":
                name, way = next(self._of_discord)
                more = WAYS.get(way) or OF_FIRST_ANSWERS[way]
                fault = self._discord.fail_next(TARGETS[name], **more)
                self._set.append((f"{name.lower().replace('_', ' ')}: {way}", fault))
            case "gateway":
                next(self._gateway)()
            case _:
                next(self._of_places)()

    def close_the_shop(self) -> None:
        """What ends all drawing for a while."""
        for name in sorted(CLOSE_THE_SHOP):
            self._images.fail_next(name)

    def heal(self) -> None:
        self._images.heal()
        self._discord.faults.clear()
        if self._discord.world.town.studio.is_out:
            self._turn_outage()

    def met(self) -> Counter[str]:
        """How often each fault hit somebody; 0 for one that nobody came across."""
        counts = Counter(dict.fromkeys((f"service: {name}" for name in FAULTS), 0))
        counts.update(f"service: {call.fault}" for call in self._images.calls if call.fault is not None)
        for name, fault in self._set:
            counts[f"discord: {name}"] += fault.hits
        return counts

    def _turn_outage(self) -> None:
        world = self._discord.world
        (world.recover if world.town.studio.is_out else world.outage)(world.town.studio)

    def _close_a_thread(self) -> None:
        town = self._discord.world.town
        thread = self._dice.choice([town.thread, town.post, town.backstage])
        self._discord.world.close_thread(thread, locked=self._dice.random() < 0.2)

    def _break_session(self) -> None:
        self._discord.gateway.invalidate(resumable=True)


def deck(cards: Sequence[Drawn], dice: random.Random) -> Iterator[Drawn]:
    """All of them in an order by chance, and again in another one."""
    while True:
        yield from dice.sample(cards, len(cards))
