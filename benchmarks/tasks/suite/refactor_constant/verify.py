import ast


def verify(place):
    place.check()
    tree = ast.parse(place.read("ages.py"))
    place.python("import ages; assert ages.SECONDS_PER_DAY == 86400")
    numbers = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value == 86400]
    place.expect(len(numbers) <= 1, f"86400 is still there {len(numbers)} times")
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "SECONDS_PER_DAY"]
    place.expect(len(uses) >= 7, "the constant is not used everywhere")
