"""What pages are made of holds whatever a person's data put into a cell."""

from offline.studies.sheet import listed, markdown, table


def test_a_cell_breaks_no_table() -> None:
    said = markdown(("site", "people"), [("A|B\nC", "3"), ("D", "4")])
    assert said.splitlines() == ["| site | people |", "| --- | --- |", "| A\\|B C | 3 |", "| D | 4 |"]
    assert "<b>" not in table(("<b>",), [("<b>",)])
    assert listed("nothing", []) == ""
