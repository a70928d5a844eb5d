"""How soon people are answered, quiet and with 200 jobs in flight: promise 2 of the product.

    python -m bench.ack [--jobs 200] [--rate 50] [--seconds 20] [--side 1024] [--in-process] [--profile FILE]

The real bot runs as a process of its own; Discord's side is the sandbox in this process, the image service a third one.
Commands start at a fixed rate whatever became of the earlier ones, so that a stall is felt by everybody who comes
during it. ``ack`` is from the gateway frame leaving to the callback having arrived, on the clock of this process; how
late this process itself ran is printed beside it, since it is part of every figure.

    quiet    that rate of commands, no job in flight (new pictures come at once)
    loaded   the same while ``--jobs`` jobs are being drawn, and as many pictures are ready per second as are ordered
    flood    the same while all pictures in flight arrive in one moment
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import itertools
import math
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bench.figures import StallMeter, cpu_s, ms, percentile, ratio, table
from bench.town import Town, town
from sandbox.discord.model import Interaction, Message

PROMISE_S = 1.0
DRAIN_S = 180.0
SEEDS = 8
FILLING_S = 0.5
"""The least a person needs for a form."""

TYPED = ("model", "size", "quality", "format")
MIX = ("complete", "imagine", "complete", "details", "form", "complete", "edit", "complete", "limits", "complete")
"""Ten commands; the form is two interactions, and it and ``imagine`` make a new job each."""


@dataclass(slots=True)
class Phase:
    """What was seen while one phase lasted. A command that Discord gave up on counts as infinitely late."""

    name: str
    acks: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    in_flight: list[int] = field(default_factory=list)
    took_s: float = math.nan
    cpu: float = math.nan
    pictures: int = 0
    lateness: str = ""

    @property
    def every(self) -> list[float]:
        return [one for acks in self.acks.values() for one in acks]

    def p99(self) -> float:
        return percentile(self.every, 0.99)


@dataclass(slots=True)
class Report:
    phases: list[Phase]
    jobs: int
    unanswered: int
    breaches: int

    def phase(self, name: str) -> Phase:
        return next(phase for phase in self.phases if phase.name == name)


@dataclass(frozen=True, slots=True)
class Plan:
    jobs: int = 200
    rate: float = 50.0
    seconds: float = 20.0
    side: int = 1024
    in_process: bool = False
    flood: bool = True


class Crowd:
    """People who use the bot. ``ordered`` are the interactions that must end in a picture."""

    def __init__(self, place: Town) -> None:
        self._town = place
        self._turn = itertools.count()
        self._waiting: set[asyncio.Task[None]] = set()
        self.ordered: list[Interaction] = []
        self.seeds: list[Message] = []
        self._words: Message | None = None
        self.phase = Phase("seeding")
        self._acts: dict[str, Callable[[int], Awaitable[None]]] = {
            "complete": self._complete,
            "imagine": self._imagine,
            "details": self._details,
            "edit": self._edit,
            "form": self._form,
            "limits": self._limits,
        }

    async def seed(self) -> None:
        """A few results whose buttons can be pressed, and a message whose menu can be opened."""
        place = self._town.world.town
        self._words = self._town.world.say(place.member, place.general, "a red fox in the snow")
        for number in range(SEEDS):
            await self._imagine(number)
        for interaction in self.ordered:
            await interaction.wait_until(shown, DRAIN_S, "a seed picture")
            self.seeds.append(interaction.messages[0])

    async def at_rate(self, rate: float, seconds: float) -> None:
        """Starts commands evenly for so long; returns when the last was answered or given up."""
        begun = time.perf_counter()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            self.start(MIX[number % len(MIX)])
        await asyncio.gather(*self._waiting)

    def start(self, act: str) -> None:
        task = asyncio.ensure_future(self._acts[act](next(self._turn)))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def ended(self) -> int:
        """Waits until every order ended; how many did not."""
        until = time.perf_counter() + DRAIN_S
        left = 0
        for interaction in self.ordered:
            try:
                await interaction.wait_until(shown, max(0.01, until - time.perf_counter()), "the picture")
            except TimeoutError:
                left += 1
        return left

    async def _noted(self, kind: str, interaction: Interaction) -> Interaction:
        phase = self.phase
        await interaction.wait_acknowledged(10)
        phase.acks[kind].append(interaction.ack_s if interaction.ack_s is not None else math.inf)
        return interaction

    def _who(self, turn: int) -> tuple[Town, int]:
        return self._town, turn % len(self._town.people)

    async def _complete(self, turn: int) -> None:
        place, who = self._who(turn)
        channel, option = place.world.town.general, TYPED[turn % len(TYPED)]
        asked = await place.world.autocomplete(place.people[who], channel, "/imagine", option, "")
        await self._noted("completion", asked)

    async def _imagine(self, turn: int) -> None:
        place, who = self._who(turn)
        options = {"prompt": f"fox number {turn}", "size": "1024x1024", "quality": "low"}
        asked = await place.world.slash(place.people[who], place.world.town.general, "/imagine", options)
        self.ordered.append(asked)
        await self._noted("/imagine", asked)

    async def _limits(self, turn: int) -> None:
        place, who = self._who(turn)
        asked = await place.world.slash(place.people[who], place.world.town.general, "/limits")
        await self._noted("/limits", asked)

    async def _details(self, turn: int) -> None:
        await self._press(turn, ":details:", "button")

    async def _edit(self, turn: int) -> None:
        await self._press(turn, ":edit:", "button to a form")

    async def _press(self, turn: int, part: str, kind: str) -> None:
        place, who = self._who(turn)
        message = self.seeds[turn // len(MIX) % len(self.seeds)]
        buttons = [one for row in message.components for one in row.get("components", [])]
        custom_id = next(one["custom_id"] for one in buttons if part in one.get("custom_id", ""))
        await self._noted(kind, await place.world.click(message, custom_id, place.people[who]))

    async def _form(self, turn: int) -> None:
        place, who = self._who(turn)
        if self._words is None:
            raise RuntimeError("nothing was seeded")
        opened = await place.world.message_menu(place.people[who], self._words, "Use as prompt")
        await self._noted("menu", opened)
        if opened.modal is None:
            return
        await asyncio.sleep(FILLING_S)
        sent = await place.world.submit_form(opened.modal, {"prompt": f"a form's fox {turn}"}, user=place.people[who])
        self.ordered.append(sent)
        await self._noted("form", sent)


def shown(interaction: Interaction) -> bool:
    """Whether the last word is there: pictures, or why there are none."""
    return interaction.failed or any(
        message.attachments or message.embeds or (message.ephemeral and message.content and not message.components)
        for message in interaction.messages
    )


async def measure(plan: Plan) -> Report:
    """Runs the phases one after the other."""
    async with town(side=plan.side, in_process=plan.in_process) as place:
        crowd = Crowd(place)
        await crowd.seed()
        phases = []
        await crowd.at_rate(plan.rate, min(2.0, plan.seconds))  # warm: connections, compiled statements
        await crowd.ended()
        phases.append(await _phase(place, crowd, "quiet", plan))
        await crowd.ended()
        await _fill(place, crowd, plan)
        await place.other.set(hold=False)
        phases.append(await _phase(place, crowd, "loaded", plan))
        if plan.flood:
            await place.other.set(hold=True)
            await place.other.until_waiting(min(plan.jobs, 200))
            await place.other.set(latency_s=0)
            await asyncio.sleep(0.5)
            await place.other.set(hold=False)
            phases.append(await _phase(place, crowd, "flood", plan))
        await place.other.set(latency_s=0, hold=False)
        left = await crowd.ended()
        return Report(phases, len(crowd.ordered), left, len(place.discord.breaches))


async def _fill(place: Town, crowd: Crowd, plan: Plan) -> None:
    """Brings as many jobs into flight as wanted; from then on as many end per second as begin."""
    crowd.phase = Phase("filling")
    orders_per_s = plan.rate * sum(act in ("imagine", "form") for act in MIX) / len(MIX)
    await place.other.set(latency_s=max(plan.jobs / orders_per_s, 1.0), hold=True)
    for _ in range(plan.jobs):
        crowd.start("imagine")
        await asyncio.sleep(1 / plan.rate)
    await place.other.until_waiting(int(plan.jobs * 0.9))


async def _phase(place: Town, crowd: Crowd, name: str, plan: Plan) -> Phase:
    crowd.phase = phase = Phase(name)
    pid = place.bot.pid if place.bot is not None else None
    answered = (await place.other.told())["answered"]
    begun, cpu = time.perf_counter(), cpu_s(pid) if pid else time.process_time()

    async def look() -> None:
        while True:
            phase.in_flight.append((await place.other.told())["waiting"])
            await asyncio.sleep(0.5)

    looking = asyncio.ensure_future(look())
    async with StallMeter() as own:
        await crowd.at_rate(plan.rate, plan.seconds)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    phase.took_s = time.perf_counter() - begun
    phase.cpu = ((cpu_s(pid) if pid else time.process_time()) - cpu) / phase.took_s
    phase.pictures = (await place.other.told())["answered"] - answered
    phase.lateness = own.told()
    return phase


def verdicts(report: Report) -> dict[str, bool]:
    """Whether the promise was kept in each phase with jobs in flight; a flood is no excuse."""
    return {phase.name: phase.p99() < PROMISE_S for phase in report.phases[1:]}


def told(report: Report, plan: Plan) -> str:
    """The report in Markdown."""
    quiet = report.phases[0]
    kinds = sorted({kind for phase in report.phases for kind in phase.acks})
    rows = []
    for phase in report.phases:
        acks = phase.every
        flying = f"{min(phase.in_flight, default=0)}-{max(phase.in_flight, default=0)}"
        row = [phase.name, len(acks), flying, f"{phase.pictures / phase.took_s:.1f}"]
        row += [ms(percentile(acks, share)) for share in (0.5, 0.9, 0.99, 1.0)]
        row += [sum(map(math.isinf, acks)), ratio(phase.p99(), quiet.p99()), f"{phase.cpu:.2f}", phase.lateness]
        rows.append(row)
    by_kind = [
        [kind, *(ms(percentile(phase.acks[kind], share)) for phase in report.phases for share in (0.5, 0.99))]
        for kind in kinds
    ]
    names = [phase.name for phase in report.phases]
    head = ["phase", "commands", "jobs drawn", "pictures/s", "p50 ms", "p90", "p99", "max", "never", "p99 / quiet p99"]
    verdict = ", ".join(f"{name} {'kept' if kept else 'BROKEN'}" for name, kept in verdicts(report).items())
    return "\n\n".join(
        [
            f"Acknowledgement at {plan.rate:g} commands/s, {plan.jobs} jobs in flight",
            table([*head, "bot cores", "this process late"], rows),
            table(["ms", *(f"{name} {what}" for name in names for what in ("p50", "p99"))], by_kind),
            f"Promise 2 (p99 below {PROMISE_S:g} s under load): {verdict}.",
            f"Orders: {report.jobs}, without an end: {report.unanswered}. Breaches of the rules: {report.breaches}.",
        ]
    )


def main() -> int:
    usual = Plan()
    parser = argparse.ArgumentParser(prog="bench.ack", description="Time to acknowledgement, quiet and loaded.")
    parser.add_argument("--jobs", type=int, default=usual.jobs)
    parser.add_argument("--rate", type=float, default=usual.rate, help="commands a second")
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="each phase lasts")
    parser.add_argument("--side", type=int, default=usual.side, help="of the pictures, in pixels")
    parser.add_argument("--no-flood", action="store_true")
    parser.add_argument("--in-process", action="store_true", help="the bot in this process: for profiles")
    parser.add_argument("--profile", help="write a cProfile of this process here (with --in-process)")
    options = parser.parse_args()
    plan = Plan(options.jobs, options.rate, options.seconds, options.side, options.in_process, not options.no_flood)
    profile = cProfile.Profile() if options.profile else None
    if profile is not None:
        profile.enable()
    report = asyncio.run(measure(plan))
    if profile is not None:
        profile.disable()
        profile.dump_stats(options.profile)
    print(told(report, plan))
    return 0 if report.unanswered == 0 and all(verdicts(report).values()) else 1


if __name__ == "__main__":
    sys.exit(main())
