"""The checklist is covered, and the table that says so is true."""

from tests.bridges.coverage_table import LAST, README, ROOT, files_by_number, rows, written

NOT_YET = frozenset[int]()
"""Numbers that no test has; there should be none."""


def test_every_number_is_in_the_table_with_words() -> None:
    assert sorted(rows(README.read_text(encoding="utf-8"))) == list(range(1, LAST + 1))


def test_every_number_has_a_test() -> None:
    assert set(range(1, LAST + 1)) - files_by_number().keys() == NOT_YET


def test_no_test_has_a_number_that_is_not_in_the_list() -> None:
    assert files_by_number().keys() <= set(range(1, LAST + 1))


def test_the_table_names_the_files_that_there_are() -> None:
    hint = "run: python tests/bridges/coverage_table.py"
    assert README.read_text(encoding="utf-8") == written(), hint
    assert all((ROOT / "tests" / path).is_file() for paths in files_by_number().values() for path in paths)
