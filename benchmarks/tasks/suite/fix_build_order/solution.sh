python3 - <<'PY'
from pathlib import Path
text = Path("order.py").read_text()
text = text.replace("        if name in seen:\n", "        if name in order:\n            return\n        if name in seen:\n")
Path("order.py").write_text(text)
PY
