from __future__ import annotations

import pytest

from bot.ports import Progress, Stage
from bot.ui.pages.progress import progress_line


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (Progress(Stage.QUEUED, 3, 40.0), "⏳ In the queue: 3rd, about 40 s."),
        (Progress(Stage.QUEUED), "⏳ In the queue."),
        (Progress(Stage.DRAWING, None, 20.0), "🎨 Drawing, about 20 s …"),
        (Progress(Stage.DRAWING), "🎨 Drawing …"),
    ],
)
def test_a_person_reads_where_the_job_stands(progress: Progress, line: str) -> None:
    assert progress_line(progress, "en-US") == line
