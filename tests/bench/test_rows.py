"""The bench of rows, small: figures nobody can repeat are none."""

from __future__ import annotations

from bench import rows
from bot.adapters.database import open_store
from bot.adapters.secrets import Secrets
from tests.support.ledger import empty_ledger


async def test_the_bench_of_rows_ages_a_ledger():
    found = await rows.rows((40, 80), times=1)
    assert "adopt (every 30 s)" in rows.told(found)
    assert all(row.cpu_s[80] > 0 for row in found)


async def test_a_year_that_was_written_balances(tmp_path):
    url = await empty_ledger(tmp_path)
    rows.write_year(tmp_path / "easel.db", 300)
    store = await open_store(url, data_dir=tmp_path, secrets=Secrets((rows.KEY,)))
    assert await store.audit_sums() == []
    await store.aclose()
