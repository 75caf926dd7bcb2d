"""Rows are lists of cells; the first row is the head."""

from table import table

# Columns are as wide as their widest cell, with two spaces between them; there are no spaces at a line's end.
assert table([["name", "size"], ["a.txt", "big"]]) == "name   size\n-----  ----\na.txt  big", table(
    [["name", "size"], ["a.txt", "big"]]
)

# Numbers stand at the right side of their column.
EXPECTED = """\
item    count
------  -----
apples      3
figs      120"""
assert table([["item", "count"], ["apples", 3], ["figs", 120]]) == EXPECTED, "\n" + table(
    [["item", "count"], ["apples", 3], ["figs", 120]]
)

# An empty cell is None.
assert table([["a", "b"], [None, 1], ["x", None]]) == "a  b\n-  -\n   1\nx", table([["a", "b"], [None, 1], ["x", None]])
print("ok")
