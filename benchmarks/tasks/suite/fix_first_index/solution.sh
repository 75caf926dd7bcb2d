sed -i 's/high = len(values) - 1/high = len(values)/' lookup.py
