"""A thing to do."""


class Todo:
    def __init__(self, title, done=False, priority=2):
        if not title:
            raise ValueError("a title is needed")
        if priority not in (1, 2, 3):
            raise ValueError("a priority is 1, 2 or 3")
        self.title = title
        self.done = done
        self.priority = priority
