"""Tables for spreadsheets: read back as they were, and no cell a formula."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.spreadsheet import BOM, csv_file


def read(data: bytes) -> list[list[str]]:
    assert data.startswith(BOM)
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))


SPLITS = (",", ";", "|", "\t")
FORMULA = ("=", "+", "-", "@")


def is_formula(cell: str) -> bool:
    return cell.lstrip(' \t\r\n"').startswith(FORMULA)


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", " =cmd|' /C calc'!A0", '"=1+1"', "＝1", '=HYPERLINK("http://a")']
)
def test_no_cell_is_a_formula(text):
    (_, (cell,)) = read(csv_file(["a"], [[text]]))
    assert cell == f"'{text}"


@pytest.mark.parametrize(
    "text", ["\t=1", "\r=1", "\n=1", "a;=1", 'a"; =1', 'a;"=1', "a\t=1", "a|-1", "two\n@lines", "a;\n=1"]
)
@pytest.mark.parametrize("split", SPLITS)
def test_no_cell_is_a_formula_wherever_a_spreadsheet_splits(text, split):
    data = csv_file(["a", "b"], [[text, 3]]).decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(data, newline=""), delimiter=split) for cell in row]
    assert not any(map(is_formula, cells))


def test_where_no_formula_can_begin_text_stands_as_it_is():
    text = "a;b|c\td\ne-f = g"
    assert read(csv_file(["a"], [[text]]))[1] == [text]


def test_what_no_spreadsheet_reads_hides_no_formula():
    assert read(csv_file(["a"], [["\0=1"]]))[1] == ["'=1"]


@given(st.lists(st.tuples(st.text(), st.integers(), st.text()), max_size=5))
def test_what_is_written_is_read_back(rows):
    found = read(csv_file(["a", "b", "c"], rows))[1:]
    assert len(found) == len(rows)
    for cells, row in zip(found, rows, strict=True):
        for cell, value in zip(cells, row, strict=True):
            wanted = str(value).replace("\0", "").encode("utf-8", "replace").decode()
            assert cell.replace("'", "") == wanted.replace("'", "")
            assert isinstance(value, int) or not cell.lstrip().startswith(("=", "+", "-", "@"))


def test_lines_end_as_the_rfc_wants_and_quotes_are_doubled():
    assert csv_file(["a", "b"], [['say "hi"', 3]]) == BOM + b'a,b\r\n"say ""hi""",3\r\n'
