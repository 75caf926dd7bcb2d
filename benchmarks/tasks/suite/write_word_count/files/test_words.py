import unittest

from words import top_words


class WordsTest(unittest.TestCase):
    """top_words() finds the words that are most frequent, with how often they occur."""

    def test_the_most_frequent_come_first(self):
        self.assertEqual(top_words("red blue red green red blue", 2), [("red", 3), ("blue", 2)])

    def test_capitals_and_marks_do_not_matter(self):
        self.assertEqual(top_words("Stop! Stop, please: stop.", 1), [("stop", 3)])

    def test_in_a_tie_the_alphabet_decides(self):
        self.assertEqual(top_words("pear fig apple", 2), [("apple", 1), ("fig", 1)])

    def test_nothing(self):
        self.assertEqual(top_words("", 5), [])


if __name__ == "__main__":
    unittest.main()
