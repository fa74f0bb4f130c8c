"""docs/security.md is complete, and every test it names is there."""

import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent
DOC = TESTS.parent / "docs" / "security.md"
#: How many requirements of level 1 each chapter of ASVS 5.0 has.
LEVEL_1 = {1: 8, 2: 4, 3: 8, 4: 2, 5: 4, 6: 13, 7: 6, 8: 4, 9: 4, 10: 5, 11: 3, 12: 3, 13: 1,
           14: 2, 15: 3}  # fmt: skip


def rows() -> Iterator[tuple[str, str, list[str]]]:
    """Number or risk, what we do, the tests."""
    for line in DOC.read_text("utf-8").splitlines():
        if re.match(r"\| (\d|API)", line):
            number, done, held = (cell.strip() for cell in line.strip("|").split("|"))
            yield number, done, [name.strip() for name in held.split("·") if name.strip()]


def is_there(name: str) -> bool:
    path, _, test = name.partition("::")
    file = TESTS / path
    return file.is_file() and f"def {test}(" in file.read_text("utf-8")


def test_every_named_test_exists() -> None:
    named = [name for _number, _done, names in rows() for name in names]

    assert len(named) > 90
    assert [name for name in named if not is_there(name)] == []


def test_every_requirement_has_one_row() -> None:
    numbers = [number for number, *_ in rows()]
    chapters = [int(number.split(".")[0]) for number in numbers if number[0].isdigit()]
    risks = [number.split()[0] for number in numbers if number.startswith("API")]

    assert {chapter: chapters.count(chapter) for chapter in chapters} == LEVEL_1
    assert risks == [f"API{number}" for number in range(1, 11)]
    assert len(numbers) == len(set(numbers))


def test_row_without_a_test_says_why() -> None:
    excuses = ("n/a:", "the proxy's share", "see *In short*")

    assert [
        number for number, done, names in rows() if not names and not done.startswith(excuses)
    ] == []
