import unittest

from runs import pack, unpack


class RunsTest(unittest.TestCase):
    def test_pack(self):
        """Letters that repeat are written once, with their number before them; single letters have no number."""
        self.assertEqual(pack("aaab"), "3ab")
        self.assertEqual(pack("abccdddd"), "ab2c4d")
        self.assertEqual(pack("zzzzzzzzzzzz"), "12z")
        self.assertEqual(pack(""), "")

    def test_unpack(self):
        self.assertEqual(unpack("3ab"), "aaab")
        self.assertEqual(unpack("12zy"), "zzzzzzzzzzzzy")
        self.assertEqual(unpack(""), "")

    def test_digits_cannot_be_packed(self):
        with self.assertRaises(ValueError):
            pack("a1")


if __name__ == "__main__":
    unittest.main()
