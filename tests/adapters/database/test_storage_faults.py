"""What breaks below the store: a held lock, a full disk, a lost answer, a killed process."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta

import pytest

from bot.adapters.database import engine as engine_module
from bot.adapters.database import open_store
from bot.rules.errors import Busy, StorageFull, StorageTrouble
from bot.rules.ledger import JobState
from bot.rules.people import Place
from tests.support.ledger import counts_by_state


async def test_a_lock_held_by_another_is_waited_for(store, draft, now, tmp_path):
    with closing(sqlite3.connect(tmp_path / "easel.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        opening = asyncio.create_task(store.jobs.open([draft()], now))
        done, _ = await asyncio.wait({opening}, timeout=0.2)
        assert not done
        other.execute("ROLLBACK")
        assert len(await opening) == 1


async def test_a_lock_held_too_long_is_told_as_busy_with_nothing_half_done(tmp_path, secrets, draft, now, monkeypatch):
    monkeypatch.setattr(engine_module, "BUSY_TIMEOUT_S", 0.05)
    store = await open_store(f"sqlite+aiosqlite:///{tmp_path}/easel.db", data_dir=tmp_path, secrets=secrets)
    with closing(sqlite3.connect(tmp_path / "easel.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy):
            await store.jobs.open([draft()], now)
        other.execute("ROLLBACK")
    assert (await counts_by_state(store))[JobState.RESERVED] == 0
    await store.jobs.open([draft()], now)
    assert await store.audit_sums() == []
    await store.aclose()


def test_a_deferred_transaction_would_fail_where_ours_waits(tmp_path):
    """The control: without BEGIN IMMEDIATE SQLite refuses at once what it could have waited for."""
    path = tmp_path / "control.db"
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as one:
        one.execute("PRAGMA journal_mode=WAL")
        one.execute("CREATE TABLE t (n INTEGER)")
        one.execute("INSERT INTO t VALUES (0)")
        with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as two:
            one.execute("BEGIN")
            one.execute("SELECT n FROM t").fetchone()
            two.execute("UPDATE t SET n = n + 1")
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                one.execute("UPDATE t SET n = n + 1")


async def test_a_full_disk_is_told_as_full_and_recovers(faulty, faults, draft, now, tmp_path):
    kept = await faulty.jobs.open([draft()], now)
    with closing(sqlite3.connect(tmp_path / "easel.db")) as other:
        faults.everywhere(f"max_page_count={other.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(StorageFull):
        for _ in range(2000):
            kept += await faulty.jobs.open([draft()], now)
    faults.everywhere("max_page_count=100000")
    assert (await counts_by_state(faulty))[JobState.RESERVED] == len(kept)
    await faulty.jobs.open([draft()], now)
    assert await faulty.audit_sums() == []


async def test_what_the_database_says_in_other_words_is_trouble_and_keeps_nothing(faulty, faults, draft, now, caplog):
    """A quota, a disk that was mounted read-only, an I/O error: none of them is called 'full' by SQLite."""
    await faulty.jobs.open([draft()], now)
    faults.everywhere("query_only=ON")
    with pytest.raises(StorageTrouble) as told:
        await faulty.jobs.open([draft()], now)
    faults.everywhere("query_only=OFF")
    assert not isinstance(told.value, Busy | StorageFull)
    assert "SQLITE_READONLY" in caplog.text
    assert "a fox" not in caplog.text
    await faulty.jobs.open([draft()], now)
    assert await faulty.audit_sums() == []


@pytest.mark.parametrize(
    "said",
    [
        sqlite3.OperationalError("disk I/O error"),
        sqlite3.DatabaseError("database disk image is malformed"),
        sqlite3.ProgrammingError("Cannot operate on a closed database."),
        OSError(5, "input/output error"),
    ],
    ids=lambda said: str(said),
)
async def test_whatever_is_said_at_the_commit_is_of_one_family(faulty, faults, draft, now, said, monkeypatch):
    monkeypatch.setattr("bot.adapters.database.engine.PAUSES_S", (0.001, 0.001))

    def breaks(_):
        raise said

    usual, faults.before_commit = faults.before_commit, breaks
    with pytest.raises(StorageTrouble):
        await faulty.jobs.open([draft()], now)
    faults.before_commit = usual
    assert await faulty.audit_sums() == []


async def test_an_answer_lost_in_the_commit_is_looked_up(faulty, faults, draft, now):
    lost = 0

    def breaks_after_commit(connection):
        nonlocal lost
        if lost < 2 and lost == len(steps):
            connection.execute("COMMIT")
            lost += 1
            raise ConnectionResetError

    steps = []
    faults.before_commit = breaks_after_commit
    [job] = await faulty.jobs.open([draft()], now)
    steps.append(job)
    job = await faulty.jobs.dispatch(job, now)
    assert lost == 2
    assert await faulty.jobs.get(job.id) == job
    assert job.state is JobState.DISPATCHED


async def test_a_commit_that_did_not_happen_is_busy(faulty, faults, draft, now):
    broken = 0

    def breaks_before_commit(_):
        nonlocal broken
        broken += 1
        if broken == 1:
            raise ConnectionResetError

    faults.before_commit = breaks_before_commit
    with pytest.raises(Busy):
        await faulty.jobs.open([draft()], now)
    assert broken == 1  # looked up, and not tried again
    assert (await counts_by_state(faulty))[JobState.RESERVED] == 0
    assert await faulty.audit_sums() == []


async def test_what_was_lost_before_the_commit_is_tried_again(faulty, faults, draft, now, monkeypatch):
    monkeypatch.setattr(engine_module, "PAUSES_S", (0.0, 0.0))
    calls = 0

    def breaks_twice(_):
        nonlocal calls
        calls += 1
        if calls in (3, 5):
            raise ConnectionResetError

    faults.before_statement = breaks_twice
    [job] = await faulty.jobs.open([draft()], now)
    assert calls > 5
    assert (await faulty.jobs.get(job.id)).state is JobState.RESERVED
    assert await faulty.audit_sums() == []


async def test_failing_the_nth_statement_for_every_n_never_unbalances_the_books(
    faulty, faults, draft, now, monkeypatch
):
    monkeypatch.setattr(engine_module, "PAUSES_S", ())
    for n in range(1, 100):
        calls = 0

        def breaks(_, n=n):
            nonlocal calls
            calls += 1
            if calls == n:
                raise ConnectionResetError

        usual, faults.before_statement = faults.before_statement, breaks
        try:
            [job] = await faulty.jobs.open([draft()], now)
            job = await faulty.jobs.dispatch(job, now)
            await faulty.jobs.lose(job, "", now)
            reached_the_end = True
        except Busy:
            reached_the_end = False
        faults.before_statement = usual
        assert await faulty.audit_sums() == [], n
        if reached_the_end:
            assert n > 5
            return
    raise AssertionError("it never got through")


async def test_no_secret_and_no_token_is_in_the_file(store, draft, now, tmp_path):
    await store.jobs.open([draft()], now)
    await store.servers.set_api_key(Place(10, 1), "sk-canary-api-key", 9, now)
    await store.aclose()
    dump = b"".join(path.read_bytes() for path in tmp_path.glob("easel.db*"))
    assert b"a fox" in dump
    for secret in (b"canary-interaction-token", b"sk-canary-api-key"):
        assert secret not in dump


KILLED = """
import asyncio, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from bot.adapters.database import open_store
from bot.adapters.secrets import load_secrets
from bot.rules.ledger import Answer, Bill, JobDraft
from bot.rules.people import Asker, Place
from bot.rules.money import MicroUSD
from bot.rules.requests import Endpoint, ImageRequest, Kind
from tests.support.ledger import use_now

async def main(folder, life):
    now = datetime.now(UTC)
    url = f"sqlite+aiosqlite:///{folder}/easel.db"
    store = await open_store(url, data_dir=folder, secrets=load_secrets(None, folder), process_id="one")
    await store.leases.adopt()
    for job in await store.leases.unfinished():
        if job.state == "reserved":
            await store.jobs.release(job, "restart", now)
        elif job.state == "dispatched":
            await store.jobs.lose(job, "restart", now)
        else:
            await store.jobs.conclude(job, 1, 1, now)
    use = await use_now(store, Asker(1, Place(10, 1), 1), now)
    left = (await store.leases.unfinished(), await store.audit_sums(), use)
    reserved = sum(used.running for used in use.counters.values())
    print("clean" if not left[0] and not left[1] and not reserved else f"dirty {left}", flush=True)
    if life == "last":
        await store.aclose()
        return

    async def work(worker):
        for n in range(10**6):
            asker = Asker(1, Place(10, 1), 1)
            request = ImageRequest(Kind.IMAGINE, Endpoint.GENERATIONS, "m", "p")
            answer = Answer(1, 2, "t", 1, now + timedelta(minutes=15))
            draft = JobDraft(f"{life}-{worker}-{n}", asker, request, MicroUSD(10), answer)
            [job] = await store.jobs.open([draft], now)
            print("ack", job.id, flush=True)
            job = await store.jobs.dispatch(job, now)
            job = await store.jobs.produce(job, Bill(MicroUSD(7), 1), None, now)
            await store.jobs.conclude(job, 1, 1, now)

    await asyncio.gather(*(work(worker) for worker in range(4)))

asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
"""


async def killed_lives(folder, lives):
    acknowledged = []
    for life in range(lives):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(folder), str(life)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout.readline().strip() == "clean"
        for _ in range(5 + life * 3 % 17):
            acknowledged.append(process.stdout.readline().split()[1])
        process.send_signal(signal.SIGKILL)
        acknowledged += [line.split()[1] for line in process.stdout.read().splitlines() if len(line) == 24]
        process.stdout.close()
        process.wait()
    last = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), "last"], check=True, capture_output=True, text=True
    )
    assert last.stdout.strip() == "clean"
    return acknowledged


@pytest.mark.parametrize("lives", [pytest.param(50, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
async def test_a_kill_at_any_moment_loses_no_acknowledged_job_and_leaves_nothing_reserved(tmp_path, secrets, lives):
    acknowledged = await killed_lives(tmp_path, lives)
    store = await open_store(f"sqlite+aiosqlite:///{tmp_path}/easel.db", data_dir=tmp_path, secrets=secrets)
    for job_id in acknowledged:
        assert (await store.jobs.get(job_id)) is not None
    counts = await counts_by_state(store)
    assert sum(counts.values()) >= len(acknowledged) > lives * 4
    assert counts[JobState.RESERVED] == counts[JobState.DISPATCHED] == 0
    assert await store.audit_sums() == []
    assert await store.leases.unfinished() == []
    await store.aclose()


def test_the_pauses_before_further_tries_fit_an_interaction():
    assert timedelta(seconds=sum(engine_module.PAUSES_S)) < timedelta(seconds=3)
