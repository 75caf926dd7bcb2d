def verify(place):
    place.expect(not place.exists("data/old exports/2019 all.dump"), "the biggest file is still there")
    left = sum(path.is_file() for path in (place.folder / "data").rglob("*"))
    place.expect(left == 11, f"{left} files are left in data instead of 11")
    text = place.read("deleted.txt").strip().removeprefix("./").strip("\"'")
    place.expect(text.endswith("data/old exports/2019 all.dump"), f"deleted.txt is {text!r}")
