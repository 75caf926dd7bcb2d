"""A buffer of fixed size that keeps the newest values."""


class Ring:
    def __init__(self, size):
        if size < 1:
            raise ValueError("size must be at least 1")
        self._slots = [None] * size
        self._next = 0
        self._count = 0

    def add(self, value):
        """Add a value; the oldest one makes room where the ring is full."""
        self._slots[self._next] = value
        self._next = (self._next + 1) % len(self._slots)
        if self._count < len(self._slots):
            self._count += 1

    def newest(self):
        """The value that was added last."""
        if not self._count:
            raise IndexError("the ring is empty")
        return self._slots[self._next - 1]

    def values(self):
        """All values, the oldest first."""
        result = []
        for offset in range(self._count):
            result.append(self._slots[(self._next + offset) % len(self._slots)])
        return result

    def __len__(self):
        return self._count
