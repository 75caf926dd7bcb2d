def verify(place):
    place.check()
    place.python("""
from grid import spiral
for height in range(1, 6):
    for width in range(1, 6):
        grid = [[(row, column) for column in range(width)] for row in range(height)]
        walk = spiral(grid)
        assert sorted(walk) == sorted(sum(grid, [])), (height, width)
        assert all(abs(a - c) + abs(b - d) == 1 for (a, b), (c, d) in zip(walk, walk[1:]))
""")
