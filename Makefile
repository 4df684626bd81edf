# Every chore of the project. `make` lists them.

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

NEW_ENOUGH := 'import sys; sys.exit(sys.version_info < (3, 11))'
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check

# The resolver that writes the lock; it is no part of what the lock installs.
UV := uv==0.13.9
UV_VENV := $(VENV)/lock

.DEFAULT_GOAL := help

.PHONY: help
help: ## List what there is to make
	@echo "usage: make TARGET [ARGS=...]"
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: install
install: $(INSTALLED) ## Make .venv with everything the lock pins (PYTHON=python3.12 chooses one)

.PHONY: run
run: $(INSTALLED) ## Run everything on this machine: onfile up $(ARGS)
	@$(BIN)/onfile up $(ARGS)

.PHONY: demo
demo: $(INSTALLED) ## Compare Onfile with a stand-in for Stripe in bad weather: onfile demo $(ARGS)
	@$(BIN)/onfile demo $(ARGS)

.PHONY: check
check: $(INSTALLED) ## Check format, lint, types and import contracts; change nothing
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: test
test: $(INSTALLED) ## Run the tests: pytest $(ARGS)
	$(BIN)/pytest $(ARGS)

.PHONY: coverage
coverage: $(INSTALLED) ## Run the tests and say which lines and branches none of them reaches
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

.PHONY: bench
bench: $(INSTALLED) ## Measure speed and size, all or some: python -m tests.benchmarks $(ARGS)
	@$(BIN)/python -m tests.benchmarks $(ARGS)

.PHONY: format
format: $(INSTALLED) ## Format the code and mend what lint can mend
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

.PHONY: lock
lock: $(BIN)/python ## Pin every dependency and its hashes anew (ARGS=--upgrade for newer ones)
	@test -x $(UV_VENV)/bin/uv || $(BIN)/python -m venv $(UV_VENV)
	@$(UV_VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(UV)
	$(UV_VENV)/bin/uv pip compile pyproject.toml --extra stripe --group dev \
		--universal --python-version 3.11 --generate-hashes --no-annotate \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		--quiet --output-file requirements.lock $(ARGS)

.PHONY: clean
clean: ## Remove what these targets made; .onfile, the data of `make run`, stays
	rm -rf $(VENV) dist htmlcov .coverage* .grimp_cache .hypothesis .import_linter_cache .mypy_cache \
		.pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Two steps, since a lock with hashes cannot name a folder: first what is pinned, then ourselves.
$(INSTALLED): requirements.lock pyproject.toml $(BIN)/python
	@$(BIN)/python -c $(NEW_ENOUGH) || { \
		echo "$(VENV) holds a Python older than 3.11; make it anew: make clean install" >&2; exit 1; }
	@echo "installing what requirements.lock pins into $(VENV)"
	@$(PIP_INSTALL) --require-hashes -r requirements.lock
	@env -u PIP_REQUIRE_HASHES $(PIP_INSTALL) --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c $(NEW_ENOUGH) || { \
		echo "Onfile needs Python 3.11 or later; $(PYTHON) is older or missing." \
			"Name another: make install PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }
