import unittest

from cart import Cart
from price import parse
from receipt import receipt


class CartTest(unittest.TestCase):
    def test_parse(self):
        for text, cents in (("12.50", 1250), ("3", 300), ("0.29", 29), ("4.5", 450), ("19.99", 1999)):
            self.assertEqual(parse(text), cents)
            self.assertIs(type(parse(text)), int)

    def test_total(self):
        cart = Cart()
        cart.add("pen", "0.10", 3)
        cart.add("ink", "0.29")
        self.assertEqual(cart.total(), 59)

    def test_receipt(self):
        cart = Cart()
        cart.add("book", "12.50")
        cart.add("clip", "0.05")
        self.assertEqual(receipt(cart), "book 12.50\nclip 0.05\ntotal 12.55")


if __name__ == "__main__":
    unittest.main()
