"""Shopping baskets."""


class Basket:
    def __init__(self, owner, items=[]):
        self.owner = owner
        self.items = items

    def add(self, name, price, count=1):
        if count < 1:
            raise ValueError("count must be at least 1")
        self.items.append((name, price, count))

    def total(self):
        return sum(price * count for _, price, count in self.items)

    def describe(self):
        names = ", ".join(name for name, _, _ in self.items)
        return f"{self.owner}: {names or 'nothing'}"
