"""Small tasks with a checkable end, and a runner that gives them to Pygent, the model alone, or other agents."""
