"""Which block stands at which row: heights with quick sums (a Fenwick tree)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MANY = 1000
"""Blocks from which on it pays to sum up everything anew."""


class RowIndex:
    """The heights of a growing list of blocks. Methods for one block are logarithmic in its length."""

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights = list(heights)
        self._sum_up()

    def _sum_up(self) -> None:
        tree = self._tree = [0, *self._heights]
        size = len(tree)
        for i in range(1, size):
            parent = i + (i & -i)
            if parent < size:
                tree[parent] += tree[i]
        self.total = sum(self._heights)

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, index: int) -> int:
        return self._heights[index]

    def append(self, height: int) -> None:
        """Add a block at the end."""
        self._heights.append(height)
        i = len(self._heights)
        value = height
        step = 1
        while step < (i & -i):
            value += self._tree[i - step]
            step <<= 1
        self._tree.append(value)
        self.total += height

    def extend(self, heights: Sequence[int]) -> None:
        """Add blocks at the end; many cost less than one by one."""
        if len(heights) < MANY:
            for height in heights:
                self.append(height)
        else:
            self._heights += heights
            self._sum_up()

    def set(self, index: int, height: int) -> int:
        """Change one block's height. Answers by how much it grew."""
        change = height - self._heights[index]
        if change:
            self._heights[index] = height
            self.total += change
            i = index + 1
            while i < len(self._tree):
                self._tree[i] += change
                i += i & -i
        return change

    def start(self, index: int) -> int:
        """The first row of a block: the sum of the heights before it."""
        row = 0
        while index > 0:
            row += self._tree[index]
            index -= index & -index
        return row

    def find(self, row: int) -> tuple[int, int]:
        """The block that ``row`` (within 0 and ``total`` - 1) is in, and the row within that block."""
        index, rest = 0, row
        step = 1 << len(self._heights).bit_length()
        while step:
            following = index + step
            if following < len(self._tree) and self._tree[following] <= rest:
                index = following
                rest -= self._tree[following]
            step >>= 1
        return index, rest
