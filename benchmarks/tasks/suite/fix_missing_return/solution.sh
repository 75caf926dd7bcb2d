sed -i '/return "B"/a\    return "C"' scores.py
