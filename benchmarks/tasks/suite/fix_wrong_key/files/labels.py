"""Labels for parcels."""


def street_line(address):
    return f"{address['street']} {address['number']}"


def city_line(address):
    code = address["postcode"].upper()
    return f"{code} {address['town']}"


def label(person):
    """All lines of a label; a company stands above the name."""
    address = person["address"]
    lines = []
    if person.get("company"):
        lines.append(person["company"])
    lines.append(person["name"])
    lines.append(street_line(address))
    lines.append(city_line(address))
    return "\n".join(lines)
