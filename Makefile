# Two commands do everything: `make demo` and `make test`. Both set up what they need, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# What the front end is built from: a change there builds and installs it again.
FRONT := $(shell find extensions/jupyterlab-workbench -type f -not -path '*/node_modules/*' -not -path '*/lib/*' -not -path '*/.yarn/*' -not -name '*.tsbuildinfo')
export WORKBENCH_HOME ?= $(CURDIR)/.workbench

.PHONY: demo test lab bench lint types wheel clean help

help:  ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /make \1\t/'

$(STAMP): pyproject.toml constraints.txt hatch_build.py $(FRONT)
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Face Workbench needs Python 3.11 or newer; given %s. Say which: make PYTHON=python3.12" % sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Setting up $(VENV): a few minutes, once."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(STAMP)  ## set up, then test one paper's claims on phantom faces (about two minutes)
	$(BIN)/workbench run saliency --scale demo || test $$? -eq 3

test: $(STAMP) lint types  ## set up, then lint, types and tests
	$(BIN)/python -m pytest

lint: $(STAMP)  ## style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)  ## static types
	$(BIN)/mypy

lab: $(STAMP)  ## open JupyterLab on copies of the notebooks
	$(BIN)/workbench notebooks $(WORKBENCH_HOME)/notebooks
	$(BIN)/jupyter lab $(WORKBENCH_HOME)/notebooks

bench: $(STAMP)  ## speed against peers, as ratios
	for race in benchmarks/*.py; do $(BIN)/python $$race || exit 1; done

wheel: $(STAMP)  ## build the wheel and the source archive
	$(BIN)/python -m build

clean:  ## remove what make made
	rm -rf $(VENV) .workbench build dist .mypy_cache .ruff_cache .pytest_cache
