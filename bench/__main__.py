"""``python3 run.py bench``: every row of the table in one go, printed and written with plots to ``bench/report.md``.

    python3 run.py bench [--rows whole,acks] [--quick] [--out FOLDER] [--against REVISION]

A part of it, and what is quick, is written to a temporary folder instead, unless ``--out`` says where.
``--quick`` measures little, to see that every row works. ``--against`` takes another revision of Easel and compares the
fixed cost of a job with its. Law: figures of one row come from one run, in turns; what the machine does beside it
spoils them.
"""

from __future__ import annotations

import argparse
import asyncio
import compileall
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from bench.goals import Line
from bench.measures.table import ROWS, Row
from bench.report import Report, machine, written
from bench.size import QUICK, Size
from bench.stage import ROOT

Against = tuple[str, Path]


@contextmanager
def checked_out(revision: str) -> Iterator[Against]:
    """The revision in a folder of its own, compiled."""
    with tempfile.TemporaryDirectory(prefix="easel-bench-") as name:
        folder = Path(name) / "tree"
        git = ("git", "-C", str(ROOT))
        subprocess.run([*git, "worktree", "add", "--quiet", "--detach", str(folder), revision], check=True)
        try:
            compiled(folder)
            yield revision, folder
        finally:
            subprocess.run([*git, "worktree", "remove", "--force", str(folder)], check=True)


def compiled(root: Path) -> None:
    """Bytecode for everything a bot imports: a measured start must not compile."""
    for name in ("bot", "cogs", "bench", "sandbox"):
        compileall.compile_dir(root / name, quiet=2)


async def lines_of(row: Row, size: Size, against: Against | None) -> list[Line]:
    """What a row found. A row that fails says why, in the table, and the others go on."""
    begun = time.monotonic()
    try:
        lines = await row.measure(size, against)
    except Exception as problem:  # noqa: BLE001  # whatever it was, it is told where the figure would be
        print(f"{row.name}: {problem}", file=sys.stderr)
        lines = row.failed(f"{type(problem).__name__}: {problem}".splitlines()[0][:200])
    print(f"{row.name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    return lines


async def measured(names: Sequence[str], size: Size, against: Against | None) -> dict[str, list[Line]]:
    return {row.name: await lines_of(row, size, against) for row in ROWS if row.name in names}


def parsed(words: Sequence[str] | None = None) -> argparse.Namespace:
    known = [row.name for row in ROWS]

    def rows(text: str) -> list[str]:
        names = text.split(",")
        if unknown := set(names) - set(known):
            raise argparse.ArgumentTypeError(f"no row {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        return names

    parser = argparse.ArgumentParser(prog="python3 run.py bench", description="Measures Easel against its floors.")
    parser.add_argument("--rows", type=rows, default=known, metavar="NAME,…", help=f"of {', '.join(known)}")
    parser.add_argument("--quick", action="store_true", help="small sizes: does every row work?")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="for report.md and plots")
    parser.add_argument("--against", metavar="REVISION", help="compare the fixed cost of a job with that revision's")
    options = parser.parse_args(words)
    if options.out is None:  # what is published is the whole table alone
        whole = options.rows == known and not options.quick
        options.out = ROOT / "bench" if whole else Path(tempfile.gettempdir()) / "easel-bench"
    return options


def main(words: Sequence[str] | None = None) -> int:
    options = parsed(words)
    on = machine()
    compiled(ROOT)
    begun = time.monotonic()
    with checked_out(options.against) if options.against else nullcontext() as against:
        found = asyncio.run(measured(options.rows, QUICK if options.quick else Size(), against))
    report = Report(found, on, time.monotonic() - begun, quick=options.quick)
    print(report.table())
    print(f"\nWritten to {written(report, options.out)}", file=sys.stderr)
    lines = [line for lines in found.values() for line in lines]
    return 0 if all(line.has_figure for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
