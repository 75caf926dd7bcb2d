sed -i 's/(self._next + offset) % len/(self._next - self._count + offset) % len/' ring.py
