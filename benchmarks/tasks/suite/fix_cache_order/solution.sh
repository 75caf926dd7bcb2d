sed -i 's/        return self._entries\[key\]/        value = self._entries.pop(key)\n        self._entries[key] = value\n        return value/' cache.py
