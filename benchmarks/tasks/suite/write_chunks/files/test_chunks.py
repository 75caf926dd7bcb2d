import unittest

from chunks import chunks


class ChunksTest(unittest.TestCase):
    """chunks() cuts a list into lists of the same size; the last one may be shorter."""

    def test_even(self):
        self.assertEqual(chunks([1, 2, 3, 4], 2), [[1, 2], [3, 4]])

    def test_a_shorter_one_at_the_end(self):
        self.assertEqual(chunks(["a", "b", "c"], 2), [["a", "b"], ["c"]])

    def test_nothing(self):
        self.assertEqual(chunks([], 3), [])

    def test_a_wrong_size(self):
        with self.assertRaises(ValueError):
            chunks([1], 0)


if __name__ == "__main__":
    unittest.main()
