import re
from collections import Counter


def top_words(text, count):
    counted = Counter(re.findall(r"\w+", text.lower()))
    return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))[:count]
