import unittest

from contacts import email_of, people, with_email


class ContactsTest(unittest.TestCase):
    def test_the_key(self):
        self.assertEqual(people()[0], {"name": "Ada", "email": "ada@example.org"})
        self.assertFalse(any("mail" in person for person in people()))

    def test_email_of(self):
        self.assertEqual(email_of("Bob"), "bob@example.org")
        self.assertIsNone(email_of("Cleo"))
        with self.assertRaises(KeyError):
            email_of("Dan")

    def test_with_email(self):
        self.assertEqual(with_email(), ["Ada", "Bob"])


if __name__ == "__main__":
    unittest.main()
