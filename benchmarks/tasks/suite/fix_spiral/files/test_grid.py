import unittest

from grid import columns, rows_reversed, spiral


class GridTest(unittest.TestCase):
    def test_a_square(self):
        self.assertEqual(spiral([[1, 2], [4, 3]]), [1, 2, 3, 4])
        self.assertEqual(spiral([[1, 2, 3], [8, 9, 4], [7, 6, 5]]), [1, 2, 3, 4, 5, 6, 7, 8, 9])

    def test_a_single_row_in_the_middle(self):
        self.assertEqual(spiral([[1, 2, 3, 4], [10, 11, 12, 5], [9, 8, 7, 6]]), list(range(1, 13)))

    def test_a_single_column(self):
        self.assertEqual(spiral([[1], [2], [3]]), [1, 2, 3])

    def test_other_walks(self):
        self.assertEqual(rows_reversed([[1, 2], [3, 4]]), [2, 1, 4, 3])
        self.assertEqual(columns([[1, 2], [3, 4]]), [1, 3, 2, 4])


if __name__ == "__main__":
    unittest.main()
