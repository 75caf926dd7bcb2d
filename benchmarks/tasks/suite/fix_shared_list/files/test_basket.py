import unittest

from basket import Basket


class BasketTest(unittest.TestCase):
    def test_total(self):
        basket = Basket("Ann")
        basket.add("tea", 3)
        basket.add("cup", 5, 2)
        self.assertEqual(basket.total(), 13)

    def test_a_fresh_basket_is_empty(self):
        Basket("Bob").add("salt", 1)
        self.assertEqual(Basket("Cleo").describe(), "Cleo: nothing")

    def test_items_can_be_given(self):
        self.assertEqual(Basket("Dan", [("jam", 4, 1)]).total(), 4)


if __name__ == "__main__":
    unittest.main()
