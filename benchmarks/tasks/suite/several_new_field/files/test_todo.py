import unittest

from report import lines
from todo import Todo


class TodoTest(unittest.TestCase):
    def test_priority(self):
        self.assertEqual(Todo("rest").priority, 2)
        self.assertEqual(Todo("run", priority=1).priority, 1)
        self.assertTrue(Todo("walk", True).done)

    def test_report(self):
        todos = [Todo("read"), Todo("nap", priority=3), Todo("gone", done=True, priority=1)]
        self.assertEqual(lines(todos), ["- read (2)", "- nap (3)"])


if __name__ == "__main__":
    unittest.main()
