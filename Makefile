# make setup    install what the tests need, into the Python environment in use
# make check    everything a change has to pass: format, lint, types, imports, tests
# make bench    measure, and print the table of benchmarks/README.md

PYTHON ?= $(shell command -v python || command -v python3)
PYTEST_ARGS ?= -n 2

.PHONY: help setup check format format-check lint types imports test bench docs

help:
	@sed -n 's/^# //p' Makefile

setup:
	.ci/packages
	$(PYTHON) -m pip install -qq --disable-pip-version-check -e '.[test]'

check: format-check lint types imports test

format:
	$(PYTHON) -m ruff check --fix-only .
	$(PYTHON) -m ruff format .

format-check:
	$(PYTHON) -m ruff format --check .

lint:
	$(PYTHON) -m ruff check .

types:
	$(PYTHON) -m mypy

imports:
	$(PYTHON) -c 'import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))'

test:
	$(PYTHON) -m pytest $(PYTEST_ARGS)

bench:
	$(PYTHON) -m benchmarks

docs:
	$(PYTHON) -m mkdocs build --strict
