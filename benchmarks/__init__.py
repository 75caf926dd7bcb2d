"""What Pygent costs, beside what the same costs without it; `python -m benchmarks` prints the table."""
