import json
import tempfile
import unittest
from pathlib import Path

from greet import greet, settings


class GreetTest(unittest.TestCase):
    def test_the_default(self):
        self.assertEqual(greet("Ada"), "Hello, Ada!")
        self.assertEqual(settings(), {"punctuation": "!", "greeting": "Hello"})

    def test_another_greeting(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "mine.json"
            path.write_text(json.dumps({"punctuation": ".", "greeting": "Welcome"}))
            self.assertEqual(greet("Bob", path), "Welcome, Bob.")


if __name__ == "__main__":
    unittest.main()
