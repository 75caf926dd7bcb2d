import re


def verify(place):
    place.check()
    for name in ("prices.py", "shop.py", "report.py"):
        code = re.sub(r'""".*?"""', "", place.read(name), flags=re.S)
        place.expect(not re.search(r"\bcalc\b", code), f"calc is still in {name}")
    place.python("from prices import total_price; assert total_price([(100, 1)]) == 120; assert total_price([(100, 1)], 50) == 60")
