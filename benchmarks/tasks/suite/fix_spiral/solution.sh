python3 - <<'PY'
from pathlib import Path
text = Path("grid.py").read_text()
text = text.replace(
    "        for column in range(right - 1, left - 1, -1):\n            result.append(grid[bottom][column])\n",
    "        if top < bottom:\n            for column in range(right - 1, left - 1, -1):\n                result.append(grid[bottom][column])\n",
)
text = text.replace(
    "        for row in range(bottom - 1, top, -1):\n            result.append(grid[row][left])\n",
    "        if left < right:\n            for row in range(bottom - 1, top, -1):\n                result.append(grid[row][left])\n",
)
Path("grid.py").write_text(text)
PY
