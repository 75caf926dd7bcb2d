"""How each item of a conversation is drawn: one block an item, lines on demand for a width."""
