import unittest

from prices import per_item
from report import day
from shop import sell


class ShopTest(unittest.TestCase):
    def test_sell(self):
        self.assertEqual(sell("Ann", [(100, 2)]), "Ann pays 240")
        self.assertEqual(sell("Bob*", [(100, 2)]), "Bob pays 216")

    def test_day(self):
        self.assertEqual(day([[(100, 1)], [(50, 2), (10, 5)]]), 300)

    def test_per_item(self):
        self.assertEqual(per_item([(100, 1), (200, 1)]), 180)


if __name__ == "__main__":
    unittest.main()
