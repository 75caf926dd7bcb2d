sed -i 's/items=\[\]/items=None/; s/self.items = items$/self.items = [] if items is None else items/' basket.py
