"""Add up the amounts of orders by customer."""

import csv


def read_orders(text):
    """The rows of a CSV text as dictionaries, by the names in its first line."""
    return list(csv.DictReader(text.strip().splitlines()))


def totals(text):
    """The sum of the amounts of each customer, in the order in which customers first appear."""
    result = {}
    for row in read_orders(text):
        customer = row["customer"].strip()
        result[customer] = result.get(customer, 0) + int(row["amount"])
    return result


def largest(text):
    """The customer with the largest sum."""
    sums = totals(text)
    return max(sums, key=sums.get)
