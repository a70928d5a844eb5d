"""Pictures on disk: whole or absent, never outside of their directory, none begun below the floor."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.files.disk import DiskFiles
from bot.ports import Files
from bot.rules.errors import StorageFull, StorageTrouble

NOW = datetime(2026, 11, 21, tzinfo=UTC)
JOB = "0a1b2c3d4e5f6g7h8i9j"


@pytest.fixture
def files(tmp_path: Path) -> DiskFiles:
    return DiskFiles(tmp_path, floor_bytes=1000, free=lambda _: 10_000_000)


async def listed(files: Files) -> list[str]:
    return sorted([job_id async for job_id in files.jobs()])


async def test_what_is_kept_can_be_read_listed_and_removed(files: DiskFiles, tmp_path: Path) -> None:
    await files.keep(JOB, "original-1.png", b"one")
    await files.keep(JOB, "original-1.png", b"uno")
    await files.keep(JOB, "input-1.jpg", b"two")
    assert await files.read(JOB, "original-1.png") == b"uno"
    assert await files.names(JOB) == ["input-1.jpg", "original-1.png"]
    assert await listed(files) == [JOB]
    assert (tmp_path / "pictures" / "0a" / JOB / "input-1.jpg").read_bytes() == b"two"
    await files.remove(JOB)
    await files.remove(JOB)
    assert await files.read(JOB, "original-1.png") is None
    assert await files.names(JOB) == await listed(files) == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        "/etc/passwd",
        "a\0b",
        "x" * 300,
        "a.b.c",
        ".hidden",
        "a.part",
        "ü.png",
        "a.png\n",
        "con:.png",
    ],
)
async def test_only_names_of_ours_reach_the_disk(files: DiskFiles, tmp_path: Path, name: str) -> None:
    for act in (files.keep(JOB, name, b"x"), files.read(JOB, name)):
        with pytest.raises(ValueError):
            await act
    assert [entry for entry in tmp_path.rglob("*") if entry.is_file()] == []


@pytest.mark.parametrize("job_id", ["", "a", "..", "../../etc", "a/b", "x" * 65, "a\0", "ab\n"])
async def test_only_job_ids_of_ours_reach_the_disk(files: DiskFiles, job_id: str) -> None:
    for act in (
        files.keep(job_id, "a.png", b"x"),
        files.read(job_id, "a.png"),
        files.names(job_id),
        files.remove(job_id),
    ):
        with pytest.raises(ValueError):
            await act


async def test_a_disk_below_its_floor_is_full_and_still_takes_what_was_begun(tmp_path: Path) -> None:
    assert not DiskFiles(tmp_path, floor_bytes=1000, free=lambda _: 1000).is_full()
    files = DiskFiles(tmp_path, floor_bytes=1000, free=lambda _: 999)
    assert files.is_full()
    await files.keep(JOB, "a.png", b"paid for")
    assert await files.names(JOB) == ["a.png"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
async def test_a_disk_that_fills_while_writing_keeps_the_old_and_leaves_nothing(
    files: DiskFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    await files.keep(JOB, "a.png", b"old")

    def full(_: int) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageFull):
            await files.keep(JOB, "a.png", b"new")
    assert await files.read(JOB, "a.png") == b"old"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["a.png"]


async def test_other_faults_of_the_disk_are_trouble_and_not_called_full(
    files: DiskFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: int) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(StorageTrouble, match="broken") as told:
        await files.keep(JOB, "a.png", b"new")
    assert not isinstance(told.value, StorageFull)


async def test_a_folder_that_cannot_be_listed_is_no_folder_without_pictures(
    files: DiskFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file handle, a share that went away: nobody may conclude that the pictures are not there."""
    await files.keep(JOB, "a.png", b"paid for")

    def no_handle(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(Path, "iterdir", no_handle)
    monkeypatch.setattr(Path, "read_bytes", no_handle)
    with pytest.raises(StorageTrouble):
        await files.names(JOB)
    with pytest.raises(StorageTrouble):
        await files.read(JOB, "a.png")


async def test_a_folder_that_vanished_is_made_again(tmp_path: Path) -> None:
    files = DiskFiles(tmp_path, floor_bytes=0)
    await files.keep(JOB, "a.png", b"paid for")
    shutil.rmtree(tmp_path / "pictures")
    assert not files.is_full()
    assert await listed(files) == []
    assert await files.names(JOB) == []
    await files.keep(JOB, "b.png", b"paid for")
    assert await files.names(JOB) == ["b.png"]


async def test_a_folder_that_cannot_be_made_again_is_trouble(tmp_path: Path) -> None:
    files = DiskFiles(tmp_path)
    shutil.rmtree(tmp_path / "pictures")
    (tmp_path / "pictures").write_text("something else")
    with pytest.raises(StorageTrouble):
        files.is_full()


async def crash_before_rename(files: DiskFiles, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves the directory as a process does that dies between writing and renaming."""

    class Dead(BaseException):
        pass

    def die(*_: object) -> None:
        raise Dead

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", die)
        with pytest.raises(Dead):
            await files.keep(JOB, "original-1.png", data)


async def test_a_left_over_that_cannot_be_read_keeps_nobody_from_starting(
    files: DiskFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await crash_before_rename(files, b"paid for", monkeypatch)
    read = Path.read_bytes

    def no_handle(_: Path) -> bytes:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(Path, "read_bytes", no_handle)
    assert await files.recover(NOW) == []
    monkeypatch.setattr(Path, "read_bytes", read)
    assert len(await files.recover(NOW)) == 1


async def test_a_whole_leftover_is_adopted_at_the_next_start(
    files: DiskFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await crash_before_rename(files, b"paid for", monkeypatch)
    assert await files.names(JOB) == []
    again = DiskFiles(tmp_path)
    assert await again.recover(NOW) == [(JOB, "original-1.png")]
    assert await again.read(JOB, "original-1.png") == b"paid for"
    assert await again.recover(NOW) == []


async def test_a_broken_leftover_goes_when_it_is_old_enough(
    files: DiskFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await crash_before_rename(files, b"paid for", monkeypatch)
    [part] = tmp_path.rglob("*.part")
    part.write_bytes(b"paid")
    for age, left in ((timedelta(minutes=14), 1), (timedelta(minutes=16), 0)):
        os.utime(part, ((NOW - age).timestamp(),) * 2)
        assert await files.recover(NOW) == []
        assert len(list(tmp_path.rglob("*.part"))) == left


async def test_many_at_once_do_not_disturb_each_other(files: DiskFiles) -> None:
    await asyncio.gather(*(files.keep(f"job{n % 7}", f"f{n}.png", bytes([n]) * 5000) for n in range(70)))
    assert await listed(files) == [f"job{n}" for n in range(7)]
    for n in range(70):
        assert await files.read(f"job{n % 7}", f"f{n}.png") == bytes([n]) * 5000


async def test_foreign_things_in_the_directory_are_no_jobs(files: DiskFiles, tmp_path: Path) -> None:
    await files.keep(JOB, "a.png", b"x")
    (tmp_path / "pictures" / "lost+found").mkdir()
    (tmp_path / "pictures" / "note.txt").write_text("x")
    (tmp_path / "pictures" / "0a" / "bad name").mkdir()
    assert await listed(files) == [JOB]
