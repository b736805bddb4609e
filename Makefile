# One command for each thing. Everything is installed into .venv, once; `make help` lists the targets.

# The first interpreter that starts: a shim of a version manager may stand in PATH and refuse to.
PYTHON ?= $(shell for name in python3.11 python3; do $$name -c '' 2>/dev/null && echo $$name && break; done)
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt
TORCH := $(shell sed -n 's/^torch==.*/&/p' constraints.txt)
PACKAGES := metaverse_env predictors agents bridges benchmarks

.DEFAULT_GOAL := help
.PHONY: demo install test check bench clean help

help:  ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

demo: $(VENV)/.installed-demo  ## show the worlds; installs the light part, without torch
	$(BIN)/metaverse demo

install: $(VENV)/.installed-all  ## install everything into .venv; then: . .venv/bin/activate

test: $(VENV)/.installed-all  ## run all tests on two cores
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

check: $(VENV)/.installed-all  ## check format, lint, types and the layers of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict $(PACKAGES)
	$(BIN)/lint-imports

bench: $(VENV)/.installed-all  ## measure steps per second
	$(BIN)/metaverse benchmark throughput

clean:  ## remove caches and build products, but neither .venv nor results
	rm -rf build dist *.egg-info .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(PACKAGES) tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps: a second run installs nothing, unless a dependency or its version changed.
$(VENV)/.installed-demo: setup.cfg constraints.txt | $(VENV)/.created
	@echo "Installing the environments and the drawing into $(VENV) ..."
	$(INSTALL) -e '.[render]'
	@touch $@

# torch comes first and alone, so that nothing else chooses its version or variant.
$(VENV)/.installed-all: setup.cfg constraints.txt | $(VENV)/.created
	@echo "Installing everything that the tests need into $(VENV), torch first; this takes minutes ..."
	$(INSTALL) '$(TORCH)'
	$(INSTALL) -e '.[render,predictors,agents,benchmarks,third-party,encoders-offline,bridges,dev]'
	@touch $@

$(VENV)/.created:
	@test -n "$(PYTHON)" || { echo "No Python found. Install Python 3.11 or newer, or run: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "metaverse-env needs Python 3.11 or newer, but $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
	    echo "Install a newer one, or name one: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@
