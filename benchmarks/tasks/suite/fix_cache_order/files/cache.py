"""A cache that forgets what was not used for the longest time."""


class Cache:
    def __init__(self, capacity):
        self.capacity = capacity
        self._entries = {}  # from the one that was used longest ago to the one that was used last
        self.hits = 0
        self.misses = 0

    def get(self, key, default=None):
        """The value of a key; asking for it is a use."""
        if key not in self._entries:
            self.misses += 1
            return default
        self.hits += 1
        return self._entries[key]

    def put(self, key, value):
        """Store a value; where there are too many, the one that was used longest ago is forgotten."""
        self._entries.pop(key, None)
        self._entries[key] = value
        if len(self._entries) > self.capacity:
            oldest = next(iter(self._entries))
            del self._entries[oldest]

    def keys(self):
        return list(self._entries)
