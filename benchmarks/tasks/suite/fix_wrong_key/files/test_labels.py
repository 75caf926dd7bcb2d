import unittest

from labels import label, street_line

ADDRESS = {"street": "Mill Lane", "number": 4, "postcode": "ab1 2cd", "city": "Leeds"}


class LabelsTest(unittest.TestCase):
    def test_street(self):
        self.assertEqual(street_line(ADDRESS), "Mill Lane 4")

    def test_label(self):
        person = {"name": "Ada", "address": ADDRESS}
        self.assertEqual(label(person), "Ada\nMill Lane 4\nAB1 2CD Leeds")

    def test_company(self):
        person = {"name": "Ada", "company": "Looms", "address": ADDRESS}
        self.assertEqual(label(person).splitlines()[0], "Looms")


if __name__ == "__main__":
    unittest.main()
