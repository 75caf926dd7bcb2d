"""Walks over grids, which are lists of rows of the same length."""


def spiral(grid):
    """All cells from the outside to the inside, clockwise from the upper left corner."""
    result = []
    if not grid:
        return result
    top, bottom = 0, len(grid) - 1
    left, right = 0, len(grid[0]) - 1
    while top <= bottom and left <= right:
        for column in range(left, right + 1):
            result.append(grid[top][column])
        for row in range(top + 1, bottom + 1):
            result.append(grid[row][right])
        for column in range(right - 1, left - 1, -1):
            result.append(grid[bottom][column])
        for row in range(bottom - 1, top, -1):
            result.append(grid[row][left])
        top, bottom = top + 1, bottom - 1
        left, right = left + 1, right - 1
    return result


def rows_reversed(grid):
    """The same walk for those who read from right to left: every row backwards."""
    return [cell for row in grid for cell in reversed(row)]


def columns(grid):
    """All cells, column by column."""
    return [row[column] for column in range(len(grid[0])) for row in grid] if grid else []
