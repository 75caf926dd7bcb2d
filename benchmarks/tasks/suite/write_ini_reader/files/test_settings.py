import unittest

from settings import read_settings

EXAMPLE = """
# how the server listens
[server]
host = localhost
port = 8080
debug = yes

[limits]
timeout = 2.5
name = "  two spaces  "
log = off
"""


class SettingsTest(unittest.TestCase):
    def test_sections(self):
        self.assertEqual(list(read_settings(EXAMPLE)), ["server", "limits"])

    def test_values_have_types(self):
        server, limits = read_settings(EXAMPLE).values()
        self.assertEqual(server, {"host": "localhost", "port": 8080, "debug": True})
        self.assertEqual(limits, {"timeout": 2.5, "name": "  two spaces  ", "log": False})
        self.assertIs(type(server["port"]), int)

    def test_words_for_true_and_false(self):
        text = "[a]\nb = yes\nc = no\nd = on\ne = off\n"
        self.assertEqual(read_settings(text), {"a": {"b": True, "c": False, "d": True, "e": False}})

    def test_a_wrong_line_is_named(self):
        with self.assertRaises(ValueError) as caught:
            read_settings("[a]\nb = 1\nnonsense\n")
        self.assertIn("line 3", str(caught.exception))

    def test_a_value_outside_of_sections(self):
        with self.assertRaises(ValueError):
            read_settings("a = 1\n")


if __name__ == "__main__":
    unittest.main()
