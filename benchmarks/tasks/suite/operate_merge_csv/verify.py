WANTED = """date,shop,amount
2026-01-03,south,80
2026-01-09,north,120
2026-01-31,north,45
2026-02-02,north,75
2026-02-11,south,60
2026-03-01,north,90
2026-03-08,south,21
2026-03-15,east,33"""


def verify(place):
    text = place.read("quarter.csv")
    place.expect([line.strip() for line in text.strip().splitlines()] == WANTED.splitlines(), f"quarter.csv is\n{text}")
    for name in ("january.csv", "february.csv", "march.csv"):
        place.expect(place.read(name) == place.original(name), f"{name} has changed")
