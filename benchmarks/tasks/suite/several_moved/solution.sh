cat > names.py <<'PY'
"""Names of people."""


def initials(name):
    """The first letters of all words of a name."""
    return "".join(word[0].upper() for word in name.split())
PY
sed -i '/^def initials/,/^$/d' helpers.py
sed -i 's/from helpers/from names/' badge.py
sed -i 's/^import helpers/import helpers\nimport names/; s/helpers.initials/names.initials/' mail.py
