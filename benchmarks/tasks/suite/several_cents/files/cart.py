"""What a customer buys."""

from price import parse


class Cart:
    def __init__(self):
        self.lines = []

    def add(self, name, price, count=1):
        self.lines.append((name, parse(price) * count))

    def total(self):
        return sum(amount for _, amount in self.lines)
