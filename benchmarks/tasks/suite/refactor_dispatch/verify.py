import ast


def verify(place):
    place.check()
    tree = ast.parse(place.read("units.py"))
    convert = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "convert")
    ifs = [node for node in ast.walk(convert) if isinstance(node, ast.If | ast.IfExp | ast.Match)]
    place.expect(len(ifs) <= 2, f"convert has {len(ifs)} ifs")
    place.python("""
import units
assert len(units.FACTORS) >= 7
assert abs(units.FACTORS["m", "km"] - 0.001) < 1e-9
assert abs(units.convert(3000, "m", "km") - 3) < 1e-9
assert abs(units.convert(2, "kg", "g") - 2000) < 1e-9
""")
