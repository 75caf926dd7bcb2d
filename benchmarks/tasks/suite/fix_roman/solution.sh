sed -i 's/value <= following/value < following/' roman.py
