import unittest

from template import render


class TemplateTest(unittest.TestCase):
    def test_names_are_replaced(self):
        self.assertEqual(render("Dear {name}, {name}!", {"name": "Ada"}), "Dear Ada, Ada!")
        self.assertEqual(render("{a}{b}", {"a": 1, "b": "{a}"}), "1{a}")

    def test_filters(self):
        self.assertEqual(render("{name|upper}", {"name": "ada"}), "ADA")
        self.assertEqual(render("<{name|strip|title}>", {"name": "  ada king "}), "<Ada King>")

    def test_a_value_for_what_is_missing(self):
        self.assertEqual(render("{name:nobody}", {}), "nobody")
        self.assertEqual(render("{name:nobody}", {"name": "Ada"}), "Ada")
        self.assertEqual(render("{name:nobody|upper}", {}), "NOBODY")

    def test_braces(self):
        self.assertEqual(render("{{not a name}}", {}), "{not a name}")

    def test_what_is_wrong(self):
        with self.assertRaises(KeyError):
            render("{name}", {})
        with self.assertRaises(ValueError):
            render("{name|backwards}", {"name": "x"})


if __name__ == "__main__":
    unittest.main()
