"""What versions up to 0.1 kept is found, listed and removed like what is kept today."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bot.adapters.files.disk import DiskFiles
from bot.ports import Bundle, Kept

JOB = "01kx2c3d4e5f6g7h8i9j"


def lay(folder: Path, **files: bytes) -> Path:
    """A job's folder as it was; ``_`` stands for what no keyword may hold."""
    job = folder / "pictures" / JOB[:2] / JOB
    job.mkdir(parents=True)
    for name, data in files.items():
        (job / name.replace("__", "-").replace("_", ".")).write_bytes(data)
    return job


async def test_pictures_their_bill_inputs_and_small_copy_are_found(tmp_path: Path) -> None:
    pictures = {f"{number}_png": b"%d" % number for number in (10, 2, 0)}
    lay(tmp_path, **pictures, bill_json=b"{}", in__1_jpeg=b"b", in__0_png=b"a", mask_png=b"m", small__0_webp=b"s")
    files = DiskFiles(tmp_path)
    assert await files.read(JOB, Kept.RESULTS) == Bundle((("0.png", b"0"), ("2.png", b"2"), ("10.png", b"10")), "{}")
    assert await files.read(JOB, Kept.INPUTS) == Bundle(
        (("in-0.png", b"a"), ("in-1.jpeg", b"b"), ("mask.png", b"m")), None
    )
    assert await files.read(JOB, Kept.SMALL) == Bundle((("small-0.webp", b"s"),), None)
    assert [job async for job in files.jobs()] == [JOB]


async def test_pictures_without_a_bill_have_none(tmp_path: Path) -> None:
    lay(tmp_path, **{"0_png": b"one of two"})
    found = await DiskFiles(tmp_path).read(JOB, Kept.RESULTS)
    assert found is not None
    assert found.note is None


async def test_a_folder_without_them_holds_nothing(tmp_path: Path) -> None:
    lay(tmp_path, in__0_png=b"a", bill_json=b"{}")
    assert await DiskFiles(tmp_path).read(JOB, Kept.RESULTS) is None
    assert await DiskFiles(tmp_path).read(JOB, Kept.SMALL) is None


async def test_what_a_crash_left_there_counts_if_it_is_whole(tmp_path: Path) -> None:
    job = lay(tmp_path, **{"0_png": b"first"})
    (job / f"1.png.{hashlib.blake2b(b'second', digest_size=16).hexdigest()}.part").write_bytes(b"second")
    (job / f"2.png.{hashlib.blake2b(b'third', digest_size=16).hexdigest()}.part").write_bytes(b"thi")
    found = await DiskFiles(tmp_path).read(JOB, Kept.RESULTS)
    assert found is not None
    assert found.files == (("0.png", b"first"), ("1.png", b"second"))


async def test_it_is_removed_with_what_was_kept_since(tmp_path: Path) -> None:
    lay(tmp_path, **{"0_png": b"first"})
    files = DiskFiles(tmp_path)
    await files.keep(JOB, Kept.SMALL, Bundle((("small-0.webp", b"s"),)))
    await files.remove(JOB)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
