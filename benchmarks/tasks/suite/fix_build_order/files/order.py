"""In which order to build things that need each other."""


class CycleError(Exception):
    """Some things need each other in a circle."""


def build_order(needs):
    """Names in an order in which everything comes after what it needs.

    ``needs`` maps a name to the names that it needs. Names are taken in the order in which they are given.
    Raises ``CycleError``.
    """
    order = []
    seen = set()

    def visit(name):
        if name in seen:
            raise CycleError(name)
        seen.add(name)
        for needed in needs.get(name, []):
            if needed not in order:
                visit(needed)
        order.append(name)

    for name in needs:
        visit(name)
    return order


def levels(needs):
    """How deep each name stands: 0 for what needs nothing."""
    result = {}
    for name in build_order(needs):
        result[name] = 1 + max((result[needed] for needed in needs.get(name, [])), default=-1)
    return result
