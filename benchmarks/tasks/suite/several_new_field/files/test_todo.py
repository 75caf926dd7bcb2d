import unittest

from report import lines
from storage import load, save
from todo import Todo


class TodoTest(unittest.TestCase):
    def test_priority(self):
        self.assertEqual(Todo("rest").priority, 2)
        self.assertEqual(Todo("run", priority=1).priority, 1)
        with self.assertRaises(ValueError):
            Todo("sleep", priority=4)

    def test_storage(self):
        loaded = load(save([Todo("run", priority=1), Todo("rest", done=True)]))
        self.assertEqual([(todo.title, todo.done, todo.priority) for todo in loaded], [("run", False, 1), ("rest", True, 2)])

    def test_what_was_saved_without_priorities(self):
        self.assertEqual(load('[{"title": "old", "done": false}]')[0].priority, 2)

    def test_report(self):
        todos = [Todo("read"), Todo("nap", priority=3), Todo("run", priority=1), Todo("gone", done=True, priority=1)]
        self.assertEqual(lines(todos), ["- run (1)", "- read (2)", "- nap (3)"])


if __name__ == "__main__":
    unittest.main()
