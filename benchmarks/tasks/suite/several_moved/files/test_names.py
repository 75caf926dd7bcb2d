import unittest

import helpers
import mail
from badge import badge
from names import initials


class NamesTest(unittest.TestCase):
    def test_initials(self):
        self.assertEqual(initials("ada king lovelace"), "AKL")

    def test_it_has_moved(self):
        self.assertFalse(hasattr(helpers, "initials"))

    def test_those_who_use_it(self):
        self.assertEqual(badge("Grace Hopper", "Navy"), "[GH] Grace Hopper, Navy")
        self.assertEqual(mail.greeting("Alan Turing", 1), "AT: you have 1 message")
        self.assertEqual(mail.greeting("Alan Turing", 3), "AT: you have 3 messages")


if __name__ == "__main__":
    unittest.main()
