import unittest

from ring import Ring


class RingTest(unittest.TestCase):
    def test_values_while_there_is_room(self):
        ring = Ring(4)
        ring.add("a")
        ring.add("b")
        self.assertEqual(ring.values(), ["a", "b"])
        self.assertEqual(ring.newest(), "b")

    def test_the_oldest_makes_room(self):
        ring = Ring(3)
        for number in range(1, 6):
            ring.add(number)
        self.assertEqual(ring.values(), [3, 4, 5])
        self.assertEqual(len(ring), 3)

    def test_an_empty_ring(self):
        ring = Ring(2)
        self.assertEqual(ring.values(), [])
        with self.assertRaises(IndexError):
            ring.newest()


if __name__ == "__main__":
    unittest.main()
