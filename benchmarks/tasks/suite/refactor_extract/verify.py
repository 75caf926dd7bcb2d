import ast


def verify(place):
    place.check()
    text = place.read("scores.py")
    functions = {node.name: ast.unparse(node) for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
    place.expect("read_scores" in functions, "there is no function read_scores")
    for name in ("best", "average"):
        place.expect("read_scores(" in functions.get(name, ""), f"{name} does not call read_scores")
    place.expect(text.count("open(") + text.count("read_text(") == 1, "the file is still read in two places")
