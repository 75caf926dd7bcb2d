import unittest

from order import CycleError, build_order, levels


class OrderTest(unittest.TestCase):
    def test_a_chain(self):
        self.assertEqual(build_order({"app": ["lib"], "lib": ["core"], "core": []}), ["core", "lib", "app"])

    def test_what_two_need_is_built_once(self):
        needs = {"app": ["left", "right"], "left": ["base"], "right": ["base"], "base": []}
        self.assertEqual(build_order(needs), ["base", "left", "right", "app"])
        self.assertEqual(levels(needs), {"base": 0, "left": 1, "right": 1, "app": 2})

    def test_a_circle(self):
        with self.assertRaises(CycleError):
            build_order({"a": ["b"], "b": ["c"], "c": ["a"]})

    def test_a_thing_that_needs_itself(self):
        with self.assertRaises(CycleError):
            build_order({"a": [], "b": ["b"]})


if __name__ == "__main__":
    unittest.main()
