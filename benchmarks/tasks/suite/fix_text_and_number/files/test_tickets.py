import unittest

from tickets import listing, ticket_id, title


class TicketsTest(unittest.TestCase):
    def test_ticket_id(self):
        self.assertEqual(ticket_id(42), "T-0042")
        self.assertEqual(ticket_id(12345), "T-12345")

    def test_title(self):
        self.assertEqual(title(7, "The printer is out of paper"), "[T-0007] The printer is ou...")

    def test_listing(self):
        self.assertEqual(listing(["no sound", "no light"]), ["[T-0001] no sound", "[T-0002] no light"])


if __name__ == "__main__":
    unittest.main()
