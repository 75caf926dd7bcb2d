sed -i "s/address\['town'\]/address['city']/" labels.py
