"""Pictures in an object store: the same as on a disk, over HTTP; and what is kept while the store takes nothing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import obstore
import pytest
from aiohttp import web
from obstore.store import MemoryStore

from bot.adapters.files.disk import DiskFiles
from bot.adapters.files.objects import ObjectFiles
from bot.adapters.files.sheltered import ShelteredFiles
from bot.ports import Bundle, CannotStart, Files, Kept
from bot.rules.errors import StorageTrouble

NOW = datetime(2026, 11, 21, tzinfo=UTC)
JOB = "0a1b2c3d4e5f6g7h8i9j"
PAID = Bundle((("0.png", b"one"), ("1.webp", b"two" * 3_000_000)), '{"charged": 5}')


def one(data: bytes) -> Bundle:
    return Bundle((("0.png", data),))


@pytest.fixture(params=["disk", "s3", "s3 with a disk beside it", pytest.param("azure", marks=pytest.mark.slow)])
def files(request, bucket, tmp_path) -> Files:
    match request.param:
        case "disk":
            return DiskFiles(tmp_path)
        case "s3":
            return bucket()
        case "azure":
            return request.getfixturevalue("container")
    return ShelteredFiles(bucket(), DiskFiles(tmp_path))


async def listed(files: Files) -> list[str]:
    return sorted([job_id async for job_id in files.jobs()])


async def test_every_place_keeps_reads_lists_and_forgets_alike(files):
    assert await files.recover(NOW) == []
    assert await files.read(JOB, Kept.RESULTS) is None
    await files.keep(JOB, Kept.RESULTS, one(b"first"))
    await files.keep(JOB, Kept.RESULTS, PAID)
    await files.keep(JOB, Kept.INPUTS, one(b"in"))
    await files.keep("another-job", Kept.SMALL, one(b"small"))

    assert await files.read(JOB, Kept.RESULTS) == PAID
    assert await files.read(JOB, Kept.INPUTS) == one(b"in")
    assert await files.read(JOB, Kept.SMALL) is None
    assert await listed(files) == sorted([JOB, "another-job"])
    assert files.aside(JOB) is None
    assert await files.catch_up() == 0
    assert len(set(files.places)) == len(files.places)

    for _ in range(2):
        await files.remove(JOB)
    assert await files.read(JOB, Kept.RESULTS) is await files.read(JOB, Kept.INPUTS) is None
    assert await listed(files) == ["another-job"]


async def test_an_id_that_could_leave_its_place_is_a_bug(files):
    with pytest.raises(ValueError, match="job id"):
        await files.keep("../../etc", Kept.RESULTS, one(b"x"))


async def test_prefixes_see_nothing_of_each_other_and_machines_with_one_setting_see_the_same(bucket):
    first, same, other = bucket("shared"), bucket("shared"), bucket("shared-not")
    await first.keep(JOB, Kept.RESULTS, PAID)

    assert await same.read(JOB, Kept.RESULTS) == PAID
    assert await other.read(JOB, Kept.RESULTS) is None
    assert await listed(other) == []
    assert first.places == same.places != other.places


async def test_what_comes_otherwise_than_it_was_kept_is_trouble_and_what_is_no_bundle_is_not_there():
    store = MemoryStore()
    files = ObjectFiles(store, "s3://b/p")
    await files.keep(JOB, Kept.RESULTS, PAID)
    [path] = [found["path"] for page in obstore.list(store) for found in page]
    told = obstore.get(store, path).attributes
    obstore.put(store, path, b"bit rot", attributes=told)
    with pytest.raises(StorageTrouble, match="otherwise than it was kept"):
        await files.read(JOB, Kept.RESULTS)

    obstore.put(store, path, b"somebody else's file")
    assert await files.read(JOB, Kept.RESULTS) is None


# --- a store in trouble --------------------------------------------------------------------------------------------


class Shop:
    """A server that answers every request with ``status`` once ``broken``; before, it is a store in memory."""

    def __init__(self) -> None:
        self.status = 503
        self.asked = 0
        self.address = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        return web.Response(status=self.status, text="<Error><Code>Secret-Token-In-Here</Code></Error>")


@asynccontextmanager
async def serving(server: Shop | Simple) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield "http://{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    shop = Shop()
    async with serving(shop) as shop.address:
        yield shop


@pytest.mark.parametrize(
    ("status", "says"),
    [(403, "PICTURES_KEY"), (401, "PICTURES_KEY"), (404, "bucket that is not there"), (400, "http or")],
)
async def test_what_only_the_operator_can_mend_is_one_sentence_at_the_start(bucket, shop, tmp_path, status, says):
    shop.status = status
    files = ShelteredFiles(bucket(PICTURES_ENDPOINT=shop.address), DiskFiles(tmp_path))

    with pytest.raises(CannotStart, match=says) as told:
        await files.recover(NOW)

    assert str(told.value).startswith("PICTURES_URL: ")
    assert "Secret" not in str(told.value)


@pytest.mark.parametrize(("status", "kind"), [(403, CannotStart), (503, StorageTrouble)])
async def test_without_googles_key_it_names_googles_variable(shop, bucket, monkeypatch, status, kind):
    shop.status = status
    for name in ("GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP"):
        monkeypatch.setenv(name, shop.address.removeprefix("http://"))
    none = dict.fromkeys(("PICTURES_ENDPOINT", "PICTURES_REGION", "PICTURES_KEY_ID", "PICTURES_KEY"), "")

    with pytest.raises(kind, match="GOOGLE_APPLICATION_CREDENTIALS") as told:
        await bucket(PICTURES_URL="gs://easel/x", **none).check()

    assert "PICTURES_KEY" not in str(told.value)


async def test_a_bucket_that_is_not_there_is_said_by_a_real_server_too(s3, bucket):
    with pytest.raises(CannotStart, match="bucket that is not there"):
        await bucket(PICTURES_URL="s3://no-such-bucket/x").check()


async def test_a_store_that_is_down_is_no_reason_not_to_start_and_loses_nothing(bucket, shop, s3, tmp_path):
    prefix = "comes-back"
    down = ShelteredFiles(bucket(prefix, PICTURES_ENDPOINT=shop.address), DiskFiles(tmp_path))
    await down.recover(NOW)
    await down.keep(JOB, Kept.RESULTS, PAID)

    assert "503" in (down.trouble or "")
    assert await down.read(JOB, Kept.RESULTS) == PAID
    assert down.aside(JOB) == down.places[-1] != down.places[0]
    assert await down.catch_up() == 0
    with pytest.raises(StorageTrouble):
        await down.read("another-job", Kept.RESULTS)

    again = ShelteredFiles(bucket(prefix), DiskFiles(tmp_path))
    await again.recover(NOW)
    assert again.aside(JOB) == again.places[-1]
    assert await again.catch_up() == 1

    assert again.aside(JOB) is again.trouble is None
    assert await bucket(prefix).read(JOB, Kept.RESULTS) == PAID
    assert await listed(DiskFiles(tmp_path)) == []


async def test_a_store_that_returns_is_noticed_by_the_round_that_brings_pictures_there(bucket, tmp_path):
    class Moody(ObjectFiles):
        away = True

        async def keep(self, job_id: str, kept: Kept, bundle: Bundle) -> None:
            if self.away:
                raise StorageTrouble("away")
            await super().keep(job_id, kept, bundle)

        async def check(self) -> None:
            await self.keep("check", Kept.SMALL, one(b""))

    moody = Moody(MemoryStore(), "s3://b/p")
    files = ShelteredFiles(moody, DiskFiles(tmp_path))
    await files.recover(NOW)
    await asyncio.gather(*(files.keep(f"job-{n}", Kept.RESULTS, PAID) for n in range(3)))
    assert await files.catch_up() == 0
    assert files.trouble == "away"

    moody.away = False
    assert await files.catch_up() == 3
    assert files.trouble is None
    assert [await moody.read(f"job-{n}", Kept.RESULTS) for n in range(3)] == [PAID] * 3


# --- whose the place is ----------------------------------------------------------------------------------------------


async def test_a_place_is_of_one_ledger_for_ever(bucket):
    await bucket("claimed").claim("mine")
    await bucket("claimed").claim("mine")
    await bucket("claimed-not").claim("other")
    with pytest.raises(CannotStart, match="belongs to another ledger"):
        await bucket("claimed").claim("other")


class Simple:
    """A server that keeps objects and knows no conditions: it passes over them, or refuses them with 501."""

    def __init__(self, *, refuses: bool) -> None:
        self.refuses = refuses
        self.objects: dict[str, bytes] = {}

    async def answer(self, request: web.Request) -> web.Response:
        if request.method == "PUT" and self.refuses and "If-None-Match" in request.headers:
            return web.Response(status=501, text="<Error><Code>NotImplemented</Code></Error>")
        if request.method == "PUT":
            self.objects[request.path] = await request.read()
            return web.Response(headers={"ETag": '"1"'})
        if request.path not in self.objects:
            return web.Response(status=404, text="<Error><Code>NoSuchKey</Code></Error>")
        headers = {"ETag": '"1"', "Last-Modified": "Sat, 21 Nov 2026 12:00:00 GMT"}
        return web.Response(body=self.objects[request.path], headers=headers)


@pytest.mark.parametrize("refuses", [False, True], ids=["passes over conditions", "refuses conditions"])
async def test_a_store_that_knows_no_conditions_keeps_its_owner_too(bucket, refuses):
    async with serving(Simple(refuses=refuses)) as address:
        await bucket("p", PICTURES_ENDPOINT=address).claim("mine")
        await bucket("p", PICTURES_ENDPOINT=address).claim("mine")
        with pytest.raises(CannotStart, match="belongs to another ledger"):
            await bucket("p", PICTURES_ENDPOINT=address).claim("other")
        await bucket("p", PICTURES_ENDPOINT=address).claim("mine")


async def test_a_place_that_does_not_answer_is_claimed_before_anything_is_kept_there(bucket, shop, tmp_path):
    await bucket("somebody-elses").claim("other")
    down = ShelteredFiles(bucket("somebody-elses", PICTURES_ENDPOINT=shop.address), DiskFiles(tmp_path))
    await down.claim("mine")
    assert "503" in (down.trouble or "")

    class Back(ObjectFiles):
        async def claim(self, ledger: str) -> None:
            await bucket("somebody-elses").claim(ledger)

    files = ShelteredFiles(Back(MemoryStore(), "s3://b/p"), DiskFiles(tmp_path))
    with pytest.raises(CannotStart):
        await files.claim("mine")
    await files.keep(JOB, Kept.RESULTS, PAID)
    assert files.aside(JOB) is not None
    assert await files.catch_up() == 0
    assert "another ledger" in (files.trouble or "")
    assert await DiskFiles(tmp_path).read(JOB, Kept.RESULTS) == PAID


def test_a_process_that_used_a_store_ends_in_order():
    """obstore's awaitables abort one exit in six."""
    program = (
        "import asyncio; from obstore.store import MemoryStore; from bot.adapters.files.objects import ObjectFiles; "
        "asyncio.run(ObjectFiles(MemoryStore(), 's3://b/p').check())"
    )
    running = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(8)]
    assert [one.wait() for one in running] == [0] * 8
