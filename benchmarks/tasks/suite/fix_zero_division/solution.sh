sed -i 's/    return round(sum/    if not minutes:\n        return 0\n    return round(sum/' report.py
