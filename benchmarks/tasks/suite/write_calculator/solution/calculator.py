import re


class Parser:
    def __init__(self, text):
        self.words = re.findall(r"\d+\.?\d*|\S", text)
        self.at = 0

    def peek(self):
        return self.words[self.at] if self.at < len(self.words) else ""

    def take(self):
        word = self.peek()
        self.at += 1
        return word

    def sum(self):
        value = self.product()
        while self.peek() in ("+", "-"):
            value = value + self.product() if self.take() == "+" else value - self.product()
        return value

    def product(self):
        value = self.factor()
        while self.peek() in ("*", "/"):
            value = value * self.factor() if self.take() == "*" else value / self.factor()
        return value

    def factor(self):
        word = self.take()
        if word == "-":
            return -self.factor()
        if word == "(":
            value = self.sum()
            if self.take() != ")":
                raise ValueError("a parenthesis is not closed")
            return value
        if not word[:1].isdigit():
            raise ValueError(f"a number is missing at {word!r}")
        return float(word) if "." in word else int(word)


def calculate(text):
    parser = Parser(text)
    value = parser.sum()
    if parser.peek():
        raise ValueError(f"not understood: {parser.peek()!r}")
    return value
