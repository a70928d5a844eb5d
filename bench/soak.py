"""Mixed commands with random faults and random kills, for minutes: ends with every invariant true, or exits with 1.

    python -m bench.soak --minutes 10 [--seed 1]

The bot is a child process on SQLite, Discord and the image service are the sandbox's. Every few seconds one of them
misbehaves, and now and then the bot is killed with ``kill -9`` and started again. Prints a report in Markdown.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.harm import Harm
from bot.adapters.database import SqlStore
from bot.operator.sandbox.environment import environment, sqlite_url
from bot.parts import secrets_of, store_of
from bot.rules.ledger import HOLDING, Job, JobState
from bot.settings.sources import parse_settings
from sandbox.discord.model import Interaction, Message, Upload, User
from sandbox.discord.people.options import NotPossible
from sandbox.discord.server import Server
from sandbox.images import ImageService
from sandbox.running import BotUnderTest

ROOT = Path(__file__).resolve().parents[1]
CLOSING_S = 20.0
"""What closes the shop comes so long before the end."""


@dataclass
class Soak:
    """What is running, and what happened so far."""

    discord: Server
    images: ImageService
    bot: BotUnderTest
    folder: Path
    dice: random.Random
    harm: Harm
    seen: Counter[str] = field(default_factory=Counter)
    asked: list[Interaction] = field(default_factory=list)
    last_result: Message | None = None
    worst_ack_s: float = 0.0

    @property
    def people(self) -> list[User]:
        town = self.discord.world.town
        return [town.member, town.painter, town.moderator, town.admin]


# --- what people do --------------------------------------------------------------------------------------------------


async def imagine(soak: Soak) -> Interaction:
    town = soak.discord.world.town
    channel = soak.dice.choice([town.general, town.pictures, town.thread, town.voice, town.post, town.backstage])
    options = {
        "prompt": f"soak {len(soak.asked)}",
        "quality": soak.dice.choice(["low", "low", "medium"]),
        "count": soak.dice.choice([1, 1, 1, 2, 4]),
        "private": soak.dice.random() < 0.2,
        "preview": soak.dice.random() < 0.3,
    }
    return await soak.discord.world.slash(soak.dice.choice(soak.people), channel, "/imagine", options)


async def refused(soak: Soak) -> Interaction:
    town = soak.discord.world.town
    return await soak.discord.world.slash(town.member, town.general, "/imagine", {"prompt": "x", "size": "1x1"})


async def batch(soak: Soak) -> Interaction:
    town = soak.discord.world.town
    lines = "\n".join(f"line {n} of {len(soak.asked)}" for n in range(soak.dice.randint(2, 6)))
    file = Upload("lines.txt", lines.encode(), "text/plain")
    return await soak.discord.world.slash(town.painter, town.pictures, "/batch", {"file": file, "quality": "low"})


async def again(soak: Soak) -> Interaction:
    message = next((m for m in reversed(results(soak)) if not m.deleted), None)
    if message is None:
        raise NotPossible("nothing to press yet")
    return await soak.discord.world.click(message, "Again", soak.dice.choice(soak.people))


async def replay(soak: Soak) -> Interaction:
    if not soak.asked:
        raise NotPossible("nothing to replay yet")
    interaction = soak.dice.choice(soak.asked[-20:])
    soak.discord.world.replay(interaction)
    return interaction


async def cancel(soak: Soak) -> Interaction:
    for interaction in reversed(soak.asked[-10:]):
        for message in interaction.messages:
            with contextlib.suppress(NotPossible):
                return await soak.discord.world.click(message, "Cancel", interaction.user)
    raise NotPossible("nothing to cancel")


DEEDS: tuple[tuple[Callable[[Soak], Awaitable[Interaction]], int], ...] = (
    (imagine, 10),
    (again, 3),
    (cancel, 2),
    (replay, 2),
    (refused, 1),
    (batch, 1),
)


async def act(soak: Soak) -> None:
    deed = soak.dice.choices([deed for deed, _ in DEEDS], [weight for _, weight in DEEDS])[0]
    try:
        interaction = await deed(soak)
    except NotPossible:
        return
    soak.seen[f"people: {deed.__name__}"] += 1
    if deed is not replay:
        soak.asked.append(interaction)


# --- what goes wrong -------------------------------------------------------------------------------------------------


async def kill(soak: Soak) -> None:
    soak.seen["kill -9 of the bot"] += 1
    await soak.bot.kill()
    if soak.dice.random() < 0.3:
        soak.discord.world.commands.scope(None).clear()  # they are registered anew, which may fail like anything
    await soak.bot.connect(soak.discord)


# --- the run ---------------------------------------------------------------------------------------------------------


async def run(minutes: float, seed: int) -> int:
    with tempfile.TemporaryDirectory(prefix="easel-soak-") as name:
        async with Server(identify_every_s=0) as discord:
            discord.limits.rates.clear()  # thousands of commands of four people in minutes: not what is measured
            images = ImageService(mode="compatible", key="soak-key", latency_s=0.3, varied=True)
            await images.start()
            folder = Path(name)
            env = environment(
                folder,
                token=discord.world.token,
                discord=discord.api_base,
                images=(images.base_url, "soak-key"),
                JOB_TIMEOUT_S="12",
                DEFAULT_IMAGES_PER_DAY="100000",
                DEFAULT_BUDGET_USD="10000",
                LOG_LEVEL="WARNING",
            )
            bot = BotUnderTest((sys.executable, "-m", "bot", "run"), env, ROOT)
            dice = random.Random(seed)
            soak = Soak(discord, images, bot, folder, dice, Harm(discord, images, dice))
            try:
                await soak.bot.connect(soak.discord)
                began = time.monotonic()
                await trouble(soak, minutes * 60)
                await calm(soak)
                broken = await judged(soak)
                print(report(soak, minutes, seed, time.monotonic() - began, broken))
                return 1 if broken else 0
            finally:
                await bot.kill()
                await images.stop()


async def trouble(soak: Soak, seconds: float) -> None:
    """People act about three times a second, something fails about once a second, a kill comes about every 20 s."""
    until = time.monotonic() + seconds
    next_kill = time.monotonic() + soak.dice.uniform(8, 20)
    open_until = until - min(CLOSING_S, seconds / 4)
    while time.monotonic() < until:
        await act(soak)
        if soak.dice.random() < 0.35:
            soak.harm.do()
        if time.monotonic() > open_until:
            open_until = until
            soak.harm.close_the_shop()
        if time.monotonic() > next_kill:
            await kill(soak)
            next_kill = time.monotonic() + soak.dice.uniform(10, 30)
        await asyncio.sleep(soak.dice.uniform(0.05, 0.6))


async def calm(soak: Soak) -> None:
    """Nothing fails any more; the bot gets time for what it still has to do, and is stopped as by a supervisor."""
    soak.harm.heal()
    await asyncio.sleep(20)
    await soak.bot.stop()
    await soak.bot.connect(soak.discord)  # once more: what a stop leaves, the next start closes
    await asyncio.sleep(15)
    await soak.bot.stop()


async def judged(soak: Soak) -> list[str]:
    """Every invariant that does not hold, in words."""
    settings = parse_settings({"DATABASE_URL": sqlite_url(soak.folder), "DATA_DIR": str(soak.folder)})
    store = await store_of(settings, secrets_of(settings))
    try:
        broken = [f"I3 sums: {one}" for one in await store.audit_sums()]
        jobs = await every_job(store, soak)
    finally:
        await store.aclose()
    soak.seen.update(f"jobs: {job.state}{' (waiting to be fetched)' if job.waiting else ''}" for job in jobs)
    broken += [f"I2 reserved: {job.id} {job.state}" for job in jobs if job.reserved_micro_usd or job.state in HOLDING]
    broken += [f"I4 no end: {job.id} {job.state}" for job in jobs if job.state is JobState.PRODUCED and not job.waiting]
    broken += [f"I4 no end: {job.id} {job.state}" for job in jobs if job.state is JobState.DELIVERED]
    shown = Counter(job.id for job in jobs for message in results(soak) if job.id in str(message.components))
    broken += [f"I5 {count} public results: {job_id}" for job_id, count in shown.items() if count > 1]
    secrets = [soak.discord.world.token, "soak-key", *soak.discord.world.by_token]
    broken += ["I6 a secret in the log" for secret in secrets if any(secret in line for line in soak.bot.log)]
    posts = Counter(call.prompt for call in soak.images.calls if call.status == 200 and call.prompt)
    pictures = sum(posts.values())
    paid = sum(job.state in (JobState.SETTLED, JobState.PRODUCED, JobState.UNKNOWN) for job in jobs)
    soak.seen["calls answered with 200"] = pictures
    if pictures > paid:
        broken.append(f"{pictures} calls were answered with 200, {paid} jobs are charged")
    broken += [f"breach: {breach}" for breach in soak.discord.breaches]
    acks = [one.ack_s for one in soak.asked if one.ack_s is not None]
    soak.worst_ack_s = sorted(acks)[int(len(acks) * 0.99)] if acks else 0.0
    return broken


async def every_job(store: SqlStore, soak: Soak) -> list[Job]:
    exports = [await store.people.export(person.id) for person in soak.people]
    found = [await store.jobs.get(one["id"]) for export in exports for one in export["jobs"]]
    return [job for job in found if job is not None]


def results(soak: Soak) -> list[Message]:
    every = [message for messages in soak.discord.world.messages.values() for message in messages.values()]
    return [
        m for m in every if not m.ephemeral and any(not a.filename.startswith("easel-preview") for a in m.attachments)
    ]


def report(soak: Soak, minutes: float, seed: int, took_s: float, broken: list[str]) -> str:
    unanswered = sum(not one.acknowledged for one in soak.asked)
    met = soak.harm.met()
    missed = sorted(name for name, count in met.items() if not count)
    lines = [
        "# Soak",
        "",
        f"`python -m bench.soak --minutes {minutes:g} --seed {seed}`, {took_s:.0f} s in all.",
        "",
        "| what | how often |",
        "|---|---:|",
        *(f"| {what} | {count} |" for what, count in sorted((soak.seen + soak.harm.done).items())),
        f"| commands that met a dead bot or a fault of the acknowledgement | {unanswered} |",
        f"| acknowledged within, 99th percentile | {soak.worst_ack_s:.2f} s |",
        "",
        "Every invariant holds." if not broken else "**Broken:**",
        *(f"- {one}" for one in broken[:40]),
        "",
        f"Met {sum(met.values())} times, {len(met) - len(missed)} faults of {len(met)}:",
        ", ".join(f"{name} {count}" for name, count in sorted(met.items()) if count) + ".",
        "",
        f"Met by nobody: {', '.join(missed) or 'none'}.",
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    return asyncio.run(run(options.minutes, options.seed))


if __name__ == "__main__":
    sys.exit(main())
