"""The bench of rows, small: figures nobody can repeat are none."""

from __future__ import annotations

from bench import rows


async def test_the_bench_of_rows_ages_a_ledger():
    found = await rows.rows((40, 80), times=1)
    assert "adopt (every 30 s)" in rows.told(found)
    assert all(row.cpu_s[80] > 0 for row in found)
