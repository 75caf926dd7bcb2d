sed -i 's/\bcalc\b/total_price/g' prices.py shop.py report.py
