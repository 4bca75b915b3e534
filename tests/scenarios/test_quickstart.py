"""./quickstart on a user's own file: what it does with the rows that it holds out."""

import re
import subprocess
import sys

import pytest

from harness.server import REPOSITORY


def take_label_out(folder, held_out, label, skip):
    """Runs that step of the script; gives the contents of rows.csv and labels.csv."""
    step = re.search(r"held-out\.csv[^\n]*<<'PYTHON'\n(.*?)\nPYTHON\n", (REPOSITORY / "quickstart").read_text(), re.S)
    (folder / "held-out.csv").write_text(held_out)
    words = [folder / "held-out.csv", label, skip, folder / "rows.csv", folder / "labels.csv"]
    subprocess.run([sys.executable, "-", *map(str, words)], input=step[1], text=True, check=True)
    return (folder / "rows.csv").read_text(), (folder / "labels.csv").read_text()


@pytest.mark.parametrize("label", ["2", "-2", "survived"])
def test_a_comma_in_quotes_does_not_divide_fields(tmp_path, label):
    held_out = 'name,sex,survived,age\n"Braund, Mr. 1",male,"no, alas",21\r\n"a ""b"", c", female, yes,3\n'
    rows, labels = take_label_out(tmp_path, held_out, label, 1)
    assert rows == '"Braund, Mr. 1",male,21\n"a ""b"", c",female,3\n'
    assert labels == '"no, alas"\nyes\n'


def test_without_a_header_the_first_line_is_a_row(tmp_path):
    assert take_label_out(tmp_path, "1,2,3\n4,5,6\n", "0", 0) == ("2,3\n5,6\n", "1\n4\n")
