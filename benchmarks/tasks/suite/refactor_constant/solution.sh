sed -i 's/\b86400\b/SECONDS_PER_DAY/g; 1a\\nSECONDS_PER_DAY = 86400' ages.py
