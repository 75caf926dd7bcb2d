import subprocess
import sys

from listing import listing


def cli(*arguments):
    return subprocess.run([sys.executable, "cli.py", *arguments], capture_output=True, text=True, check=True).stdout


assert cli("pear", "Fig") == "1. Fig\n2. pear\n"
assert cli("--upper", "pear", "Fig") == "1. FIG\n2. PEAR\n"
assert listing(["a", "c", "b"], reverse=True) == ["1. c", "2. b", "3. a"]
assert cli("--reverse", "pear", "Fig", "apple") == "1. pear\n2. Fig\n3. apple\n"
assert cli("--reverse", "--upper", "x", "y") == "1. Y\n2. X\n"
print("ok")
