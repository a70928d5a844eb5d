"""Pictures on disk: whole or absent, never outside of their directory, none begun below the floor."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.files.disk import ARRIVING, SHELVES, DiskFiles
from bot.ports import Bundle, Files, Kept
from bot.rules.errors import StorageFull, StorageTrouble

NOW = datetime(2026, 11, 21, tzinfo=UTC)
JOB = "0a1b2c3d4e5f6g7h8i9j"
PAID = Bundle((("0.png", b"one"), ("1.webp", b"two"), ("2.png", b"three")), '{"charged": 5}')


def one(data: bytes) -> Bundle:
    return Bundle((("0.png", data),))


@pytest.fixture
def files(tmp_path: Path) -> DiskFiles:
    return DiskFiles(tmp_path, floor_bytes=1000, free=lambda _: 10_000_000)


async def listed(files: Files) -> list[str]:
    return sorted([job_id async for job_id in files.jobs()])


async def kept(files: Files) -> Bundle | None:
    return await files.read(JOB, Kept.RESULTS)


def lying(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def test_what_is_kept_can_be_read_listed_and_removed(files: DiskFiles, tmp_path: Path) -> None:
    await files.keep(JOB, Kept.RESULTS, one(b"one"))
    await files.keep(JOB, Kept.RESULTS, PAID)
    await files.keep(JOB, Kept.INPUTS, one(b"in"))
    assert await kept(files) == PAID
    assert await files.read(JOB, Kept.INPUTS) == one(b"in")
    assert await files.read(JOB, Kept.SMALL) is None
    assert await listed(files) == [JOB]
    assert lying(tmp_path) == [f"{JOB}.inputs", f"{JOB}.results"]
    await files.remove(JOB)
    await files.remove(JOB)
    assert await kept(files) is await files.read(JOB, Kept.INPUTS) is None
    assert await listed(files) == lying(tmp_path) == []


async def test_jobs_of_one_hour_lie_on_many_shelves(files: DiskFiles, tmp_path: Path) -> None:
    for number in range(100):
        await files.keep(f"01kx{number:016}", Kept.SMALL, one(b"x"))
    shelves = {path.parent.name for path in tmp_path.rglob("*.small")}
    assert 50 < len(shelves) <= SHELVES


@pytest.mark.parametrize("job_id", ["", "a", "..", "../../etc", "a/b", "x" * 65, "a\0", "ab\n"])
async def test_only_job_ids_of_ours_reach_the_disk(files: DiskFiles, job_id: str) -> None:
    for act in (files.keep(job_id, Kept.SMALL, PAID), files.read(job_id, Kept.SMALL), files.remove(job_id)):
        with pytest.raises(ValueError):
            await act


async def test_a_disk_below_its_floor_is_full_and_still_takes_what_was_begun(tmp_path: Path) -> None:
    assert not DiskFiles(tmp_path, floor_bytes=1000, free=lambda _: 1000).is_full()
    files = DiskFiles(tmp_path, floor_bytes=1000, free=lambda _: 999)
    assert files.is_full()
    await files.keep(JOB, Kept.RESULTS, PAID)
    assert await kept(files) == PAID


def no_sync(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fails(_: int) -> None:
        raise error

    monkeypatch.setattr("bot.adapters.files.disk.sync_bytes", fails)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
async def test_a_disk_that_fills_while_writing_keeps_the_old_and_leaves_nothing(
    files: DiskFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    await files.keep(JOB, Kept.RESULTS, one(b"old"))
    no_sync(monkeypatch, OSError(code, os.strerror(code)))
    with pytest.raises(StorageFull):
        await files.keep(JOB, Kept.RESULTS, one(b"new"))
    assert await kept(files) == one(b"old")
    assert lying(tmp_path) == [f"{JOB}.results"]


async def test_other_faults_of_the_disk_are_trouble_and_not_called_full(
    files: DiskFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_sync(monkeypatch, OSError(errno.EIO, "broken"))
    with pytest.raises(StorageTrouble, match="broken") as told:
        await files.keep(JOB, Kept.RESULTS, PAID)
    assert not isinstance(told.value, StorageFull)


async def test_a_file_that_cannot_be_opened_is_no_file_that_is_not_there(
    files: DiskFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file handle, a share that went away: nobody may conclude that the pictures are not there."""
    await files.keep(JOB, Kept.RESULTS, PAID)

    def no_handle(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(Path, "open", no_handle)
    with pytest.raises(StorageTrouble):
        await kept(files)


async def test_a_folder_that_vanished_is_made_again(tmp_path: Path) -> None:
    files = DiskFiles(tmp_path, floor_bytes=0)
    await files.keep(JOB, Kept.RESULTS, PAID)
    shutil.rmtree(tmp_path / "pictures")
    assert not files.is_full()
    assert await listed(files) == []
    assert await kept(files) is None
    await files.keep(JOB, Kept.RESULTS, PAID)
    assert await kept(files) == PAID


async def test_a_folder_that_cannot_be_made_again_is_trouble(tmp_path: Path) -> None:
    files = DiskFiles(tmp_path)
    shutil.rmtree(tmp_path / "pictures")
    (tmp_path / "pictures").write_text("something else")
    with pytest.raises(StorageTrouble):
        files.is_full()


class Dead(BaseException):
    """The process is gone at this moment."""


def die(*_: object) -> None:
    raise Dead


DEATHS = [
    ("before the bytes are on the disk", "bot.adapters.files.disk.sync_bytes", PAID),
    ("before the file is on its shelf", "pathlib.Path.replace", PAID),
    ("before the shelf is on the disk", "os.fsync", PAID),
]


@pytest.mark.parametrize(("where", "after"), [death[1:] for death in DEATHS], ids=[death[0] for death in DEATHS])
async def test_whenever_a_process_dies_the_next_start_finds_all_of_a_paid_picture_or_nothing(
    files: DiskFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, after: Bundle | None
) -> None:
    await files.keep("another-job", Kept.RESULTS, one(b"so that the shelf's folder is there"))
    with monkeypatch.context() as patch:
        patch.setattr(where, die)
        with pytest.raises(Dead):
            await files.keep(JOB, Kept.RESULTS, PAID)
    again = DiskFiles(tmp_path)
    await again.recover(NOW)
    assert await kept(again) == after
    assert await again.recover(NOW) == []


class PowerCut:
    """What is there after the power came back: bytes that were synced, under names whose folders were."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._bytes: set[int] = set()
        self._names: dict[int, set[str]] = {}
        self._sync = os.fsync
        monkeypatch.setattr(os, "fsync", self._synced)
        monkeypatch.setattr("bot.adapters.files.disk.sync_bytes", self._synced)

    def _synced(self, handle: int) -> None:
        self._sync(handle)
        there = os.fstat(handle)
        if stat.S_ISDIR(there.st_mode):
            self._names[there.st_ino] = set(os.listdir(handle))
        else:
            self._bytes.add(there.st_ino)

    def leaves(self, path: Path, below: Path) -> bool:
        """Whether the file is still there, all of it; ``below`` was there long before."""
        steps = [path, *path.parents]
        folders = steps[1 : steps.index(below) + 1]
        names = all(
            step.name in self._names.get(folder.stat().st_ino, ()) for step, folder in zip(steps, folders, strict=False)
        )
        return names and path.stat().st_ino in self._bytes


@pytest.mark.skipif(os.name == "nt", reason="Windows syncs no folders")
async def test_what_is_called_kept_survives_a_power_cut_folders_included(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = PowerCut(monkeypatch)
    files = DiskFiles(tmp_path / "data", floor_bytes=0)
    for job_id in (JOB, "another-job"):
        await files.keep(job_id, Kept.RESULTS, PAID)
        (path,) = tmp_path.rglob(f"{job_id}.results")
        assert cut.leaves(path, tmp_path)


async def crash_before_it_is_shelved(files: DiskFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", die)
        with pytest.raises(Dead):
            await files.keep(JOB, Kept.RESULTS, PAID)
    (part,) = (tmp_path / "pictures" / ARRIVING).iterdir()
    return part


async def test_however_much_of_it_was_written_a_part_of_a_bundle_is_none(
    files: DiskFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = await crash_before_it_is_shelved(files, tmp_path, monkeypatch)
    whole = part.read_bytes()
    for broken in [*(whole[:size] for size in range(len(whole))), whole + b"\n", b"x" + whole, whole[1:]]:
        part.write_bytes(broken)
        assert await files.recover(NOW) == []
    part.write_bytes(whole)
    assert await files.recover(NOW) == [JOB]
    assert await kept(files) == PAID


async def test_what_was_adopted_while_it_was_being_shelved_is_kept_all_the_same(
    files: DiskFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def adopted_meanwhile(part: Path, path: Path) -> None:
        replace(part, path)
        raise FileNotFoundError

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", adopted_meanwhile)
        await files.keep(JOB, Kept.RESULTS, PAID)
    assert await kept(files) == PAID


async def test_a_picture_that_a_power_cut_damaged_is_not_adopted(
    files: DiskFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await crash_before_it_is_shelved(files, tmp_path, monkeypatch)
    assert await DiskFiles(tmp_path, is_whole=lambda data: data != b"two").recover(NOW) == []


async def test_a_left_over_that_cannot_be_read_keeps_nobody_from_starting(
    files: DiskFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await crash_before_it_is_shelved(files, tmp_path, monkeypatch)

    def no_handle(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", no_handle)
        assert await files.recover(NOW) == []
    assert await files.recover(NOW) == [JOB]


async def test_a_broken_leftover_goes_when_it_is_old_enough(
    files: DiskFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = await crash_before_it_is_shelved(files, tmp_path, monkeypatch)
    part.write_bytes(b"paid")
    for age, left in ((timedelta(minutes=14), 1), (timedelta(minutes=16), 0)):
        os.utime(part, ((NOW - age).timestamp(),) * 2)
        assert await files.recover(NOW) == []
        assert len(lying(tmp_path)) == left


async def test_what_is_forgotten_while_it_arrives_is_not_adopted_later(
    files: DiskFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await crash_before_it_is_shelved(files, tmp_path, monkeypatch)
    await files.remove(JOB)
    assert lying(tmp_path) == []


async def test_a_damaged_file_is_taken_as_not_there(files: DiskFiles, tmp_path: Path) -> None:
    await files.keep(JOB, Kept.RESULTS, PAID)
    (path,) = tmp_path.rglob("*.results")
    path.write_bytes(path.read_bytes()[:-1])
    assert await kept(files) is None


async def test_many_at_once_do_not_disturb_each_other(files: DiskFiles) -> None:
    await asyncio.gather(*(files.keep(f"job{n}", Kept.RESULTS, one(bytes([n]) * 5000)) for n in range(70)))
    assert await listed(files) == sorted(f"job{n}" for n in range(70))
    for n in range(70):
        assert await files.read(f"job{n}", Kept.RESULTS) == one(bytes([n]) * 5000)


async def test_foreign_things_in_the_directory_are_no_jobs(files: DiskFiles, tmp_path: Path) -> None:
    await files.keep(JOB, Kept.SMALL, PAID)
    (tmp_path / "pictures" / "lost+found").mkdir()
    (tmp_path / "pictures" / "note.txt").write_text("x")
    (tmp_path / "pictures" / ARRIVING / "note.txt").write_text("x")
    (tmp_path / "pictures" / "0a" / "bad name").mkdir(parents=True)
    assert await listed(files) == [JOB]
    assert await files.recover(NOW) == []
