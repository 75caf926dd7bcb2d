import tempfile
import unittest
from pathlib import Path

from scores import average, best


class ScoresTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "scores.txt"

    def test_best(self):
        self.path.write_text("# today\nAnn: 12\n\nBob : 31\nCleo: 7\n")
        self.assertEqual(best(self.path), "Bob")

    def test_average(self):
        self.path.write_text("Ann: 10\nBob: 21\n")
        self.assertEqual(average(self.path), 16)

    def test_no_scores(self):
        self.path.write_text("# nobody\n")
        self.assertIsNone(best(self.path))
        self.assertEqual(average(self.path), 0)


if __name__ == "__main__":
    unittest.main()
