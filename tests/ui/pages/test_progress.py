from __future__ import annotations

from datetime import timedelta

import pytest

from bot.ports import Progress, Stage
from bot.ui.pages.progress import bar, is_news, progress_line, progress_text
from tests.support.people import NOW, make_request

AT = f"<t:{int(NOW.timestamp())}:R>"


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (Progress(Stage.QUEUED, 3, NOW), f"⏳ In the queue: 3rd · ready {AT}"),
        (Progress(Stage.QUEUED), "⏳ In the queue"),
        (Progress(Stage.DRAWING, None, NOW, 0.0), f"🎨 Drawing ▱▱▱▱▱▱▱▱▱▱ · ready {AT}"),
        (Progress(Stage.DRAWING, None, NOW, 0.49), f"🎨 Drawing ▰▰▰▰▱▱▱▱▱▱ · ready {AT}"),
        (Progress(Stage.DRAWING, None, None, 0.95), "🎨 Drawing ▰▰▰▰▰▰▰▰▰▱"),
    ],
)
def test_a_person_reads_where_the_job_stands(progress: Progress, line: str) -> None:
    assert progress_line(progress, "en-US") == line


def test_the_prompt_stands_over_it_shortened_and_escaped() -> None:
    request = make_request(prompt="x", shown_prompt="a *red* fox " * 40)
    first, second = progress_text(request, Progress(Stage.QUEUED), "de").splitlines()
    assert first.startswith(r"**a \*red\* fox ")
    assert first.endswith("…**")
    assert second == "⏳ In der Warteschlange"


def test_ten_cells_move() -> None:
    assert [bar(share / 20).count("▰") for share in range(21)] == [share // 2 for share in range(21)]


@pytest.mark.parametrize(
    ("before", "after", "news"),
    [
        (None, Progress(Stage.QUEUED), True),
        (Progress(Stage.QUEUED, 3, NOW), Progress(Stage.QUEUED, 3, NOW + timedelta(seconds=9)), False),
        (Progress(Stage.QUEUED, 3, NOW), Progress(Stage.QUEUED, 3, NOW + timedelta(seconds=10)), True),
        (Progress(Stage.QUEUED, 3, NOW), Progress(Stage.QUEUED, 2, NOW), True),
        (Progress(Stage.QUEUED, 1, NOW), Progress(Stage.DRAWING, None, NOW), True),
        (Progress(Stage.DRAWING, None, NOW, 0.31), Progress(Stage.DRAWING, None, NOW, 0.39), False),
        (Progress(Stage.DRAWING, None, NOW, 0.39), Progress(Stage.DRAWING, None, NOW, 0.41), True),
        (Progress(Stage.DRAWING, None, NOW, 0.95), Progress(Stage.DRAWING, None, None, 0.95), True),
    ],
)
def test_only_what_can_be_seen_is_news(before: Progress | None, after: Progress, news: bool) -> None:
    assert is_news(after, before) is news
