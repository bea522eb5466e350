# Everything a contributor or CI runs. Needs python (3.11+), make and git, nothing else:
# each target makes the virtual environment it needs, once.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

# The first of these that is 3.11 or newer makes the environment.
PYTHON ?= python3 python3.15 python3.14 python3.13 python3.12 python3.11 python
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# More arguments for pytest: make test ARGS='-k carrier'
ARGS ?=

help: ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | \
	    while IFS='|' read -r name what; do printf '  make %-9s %s\n' "$$name" "$$what"; done

demo: $(VENV)/.has-demo ## run the bill-of-materials demo on this environment
	@$(BIN)/python -m examples.bom_sync

showcase: ## run a shop of four services, and follow one order through it
	@$(MAKE) --no-print-directory VENV=$(VENV)-showcase follow-order

follow-order: $(VENV)/.has-showcase
	@$(BIN)/python -m examples.shop

test: $(VENV)/.has-test ## run the tests on all cores, in random order
	$(BIN)/python -m pytest -n auto $(ARGS)

coverage: $(VENV)/.has-test ## run the tests under coverage; the core must have 100 %
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -n auto $(ARGS)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

lint: $(VENV)/.has-lint ## check style, format and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

format: $(VENV)/.has-lint ## format the code
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

typing: $(VENV)/.has-test $(VENV)/.has-typing ## check types with mypy and pyright
	$(BIN)/mypy
	$(BIN)/pyright
	@# pyright looks for the package in the python that it finds first
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/pyright --verifytypes penstock --ignoreexternal

docs: $(VENV)/.has-docs ## build the documentation into docs/_build, and check its diagrams
	$(BIN)/penstock docs --check README.md docs
	$(BIN)/sphinx-build --fail-on-warning --keep-going --quiet docs docs/_build
	@echo "docs/_build/index.html"

diagrams: $(VENV)/.has-docs ## update the diagrams in the documents
	$(BIN)/penstock docs README.md docs

bench: $(VENV)/.has-bench ## measure the cost of a step, next to its peers
	$(BIN)/python -m benchmarks

clean: ## remove everything that was made here, with the environments
	rm -rf $(VENV) .venv-* build dist docs/_build htmlcov .coverage .coverage.* \
	    .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp per set of packages, so that a second run starts at once.

$(VENV)/.made:
	@[ -x $(BIN)/pip ] || for python in $(PYTHON); do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	    then $$python -m venv $(VENV) && break; exit 1; fi; done
	@[ -x $(BIN)/pip ] || { \
	    echo "penstock needs Python 3.11 or newer; tried: $(PYTHON)." >&2; \
	    echo "Name one: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }
	$(PIP) install -qq --upgrade 'pip>=25.1' # the first that reads --group
	@touch $@

$(VENV)/.has-demo: pyproject.toml $(VENV)/.made
	$(PIP) install -qq --editable '.[cli,otel,structlog]'
	@touch $@

$(VENV)/.has-test: pyproject.toml $(VENV)/.made
	$(PIP) install -qq --editable '.[all]' --group test --group web
	@touch $@

# Not in the environment of the tests: the collector brings half a gigabyte.
$(VENV)/.has-showcase: pyproject.toml $(VENV)/.made
	$(PIP) install -qq --editable '.[celery,cli,django,draw,httpx,kafka,otel,requests]' \
	    --group showcase
	@touch $@

$(VENV)/.has-docs $(VENV)/.has-bench: $(VENV)/.has-%: pyproject.toml $(VENV)/.made
	$(PIP) install -qq --editable '.[cli,otel]' --group $*
	@touch $@

$(VENV)/.has-lint $(VENV)/.has-typing: $(VENV)/.has-%: pyproject.toml $(VENV)/.made
	$(PIP) install -qq --editable . --group $*
	@touch $@

.PHONY: help demo showcase follow-order test coverage lint format typing docs diagrams \
    bench clean
