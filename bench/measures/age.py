"""What years cost: what runs by itself, pages and reports, with a million jobs in the ledger and with a thousand."""

from __future__ import annotations

from bench.goals import AGE, Line, named, ungoaled
from bench.rows import rows
from bench.size import Size


async def age(size: Size) -> list[Line]:
    """A line for each; what grows by its nature (it reads what was asked for) has no goal."""
    few, many = min(size.ages), max(size.ages)
    lines = []
    for row in await rows(size.ages, size.age_times):
        goal = named(AGE, what=row.what, n=many, few=few)
        columns = {"ours": row.cpu_s[many] * 1000}
        lines.append(Line(goal if row.bounded else ungoaled(goal), (row.growth,), columns))
    return lines
