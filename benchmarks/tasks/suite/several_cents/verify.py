def verify(place):
    place.check()
    place.python("""
from cart import Cart
from price import parse
assert [parse(f"{n / 100:.2f}") for n in range(3000)] == list(range(3000))
cart = Cart()
cart.add("car", "1000.00", 2)
from receipt import receipt
assert receipt(cart) == "car 2000.00\\ntotal 2000.00"
""")
