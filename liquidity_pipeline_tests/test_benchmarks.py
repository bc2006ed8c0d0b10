"""The page of measurements has a place for every section, and tables that Markdown can read."""

from __future__ import annotations

import pytest

from liquidity_pipeline.scorecard import replace_section
from liquidity_pipeline_tests.benchmarks.__main__ import ALONE, ON_DATA, PAGE
from liquidity_pipeline_tests.benchmarks.measuring import Costs, table


@pytest.mark.parametrize("name", [*ON_DATA, *ALONE])
def test_the_page_has_a_place_for_each_section(name: str):
    assert "| what |" in replace_section(PAGE.read_text(), name, table(["what"], [["this"]]))


def test_a_table_has_as_many_cells_in_every_line():
    costs = Costs((3.0, 1.0, 2.0))
    lines = table(["command", "CPU s", "times"], [["a", costs, 1], ["b", "", ""]]).splitlines()
    assert {line.count("|") for line in lines} == {4}
    assert lines[2] == "| a | 2.00 (1.00 … 3.00) | 1 |"
