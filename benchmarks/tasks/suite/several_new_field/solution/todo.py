"""A thing to do."""


class Todo:
    def __init__(self, title, done=False, priority=2):
        if not title:
            raise ValueError("a title is needed")
        self.title = title
        self.done = done
        self.priority = priority
