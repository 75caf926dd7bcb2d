import unittest

from slug import slug


class SlugTest(unittest.TestCase):
    """slug() makes a name for a web address out of a title."""

    def test_words_are_joined_in_lower_case(self):
        self.assertEqual(slug("Hello World"), "hello-world")

    def test_whatever_is_no_letter_or_digit_separates(self):
        self.assertEqual(slug("What's new in 3.14?"), "what-s-new-in-3-14")
        self.assertEqual(slug("a --- b"), "a-b")

    def test_no_separator_at_the_ends(self):
        self.assertEqual(slug("  (Draft) Plan!  "), "draft-plan")

    def test_nothing_is_left(self):
        self.assertEqual(slug("?!"), "untitled")


if __name__ == "__main__":
    unittest.main()
