"""``doctor`` on the processes that share a ledger: what they must agree on."""

from __future__ import annotations

from bot.operator.doctor.context import LedgerState, Surroundings
from bot.operator.doctor.findings import Finding, failed, passed, warned
from bot.parts import files_of, secrets_of, setup_of
from bot.ports import CannotStart, Setup

CLOCKS_APART_S = 5.0
"""A cooldown is seconds, an interaction is void after three: clocks further apart than this are felt."""


async def check_processes(here: Surroundings) -> list[Finding]:
    """Same ``SECRET_KEY`` and ``SHARD_COUNT``, clocks that agree, pictures where all see them; of what runs now."""
    if here.settings.is_sqlite or (await here.ledger(here.settings)).state is not LedgerState.CURRENT:
        return []
    try:
        secrets = secrets_of(here.settings)
        mine = setup_of(here.settings, secrets, files_of(here.settings).places[0])
    except CannotStart:
        return []  # said by the checks of what is wrong there
    others = await here.setups(here.settings, secrets)
    if not others:
        return []
    return _disagreements(mine, others) or [passed("processes", f"{len(others)} run on this ledger and agree")]


def _disagreements(mine: Setup, others: list[Setup]) -> list[Finding]:
    found = []
    if any(one.seal != mine.seal for one in others):
        says = "a process that runs now seals with another SECRET_KEY: neither can open what the other sealed"
        found.append(failed("processes", says, "Give all processes the same SECRET_KEY, the same key first."))
    if len(shards := {one.shards for one in [mine, *others]}) > 1:
        counts = ", ".join(sorted(str(count or "not set") for count in shards))
        says = f"SHARD_COUNT differs between processes ({counts}): servers are served twice, or by nobody"
        found.append(failed("processes", says, "Stop all, set the same SHARD_COUNT everywhere, start all."))
    if (off_s := max((one.ahead_s for one in others), key=abs)) and abs(off_s) > CLOCKS_APART_S:
        by = f"{abs(off_s):.0f} s {'ahead of' if off_s > 0 else 'behind'}"
        says = f"the clock of a process that runs now is {by} the database's: limits reset at the wrong time"
        found.append(failed("processes", says, "Let all machines, the database's too, set their clocks by NTP."))
    if any(one.pictures != mine.pictures for one in others):
        says = "a process that runs now keeps pictures where this one sees nothing: they are late while it is away"
        found.append(warned("processes", says, "Share DATA_DIR, or set the same PICTURES_URL everywhere."))
    return found
