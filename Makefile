# Every chore of the project. `make` lists them.

PYTHON ?= python3
ARGS ?=
EXAMPLES ?= 2000

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

NEW_ENOUGH := 'import sys; sys.exit(sys.version_info < (3, 11))'
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check

# The resolver that writes the lock; it is no part of what the lock installs.
UV := uv==0.13.9
UV_VENV := $(VENV)/lock

# The fuzzers are large, one has no wheel for macOS, and nothing else needs them: no part of it either.
FUZZERS := atheris==3.0.0 schemathesis==4.32.5
FUZZ_HOME := $(VENV)/fuzz
FUZZ_RUNS ?= 1000000
FUZZ_TARGETS := signature event dropped query_string api_key prefer etag

# Tools that check deploy/; they are heavy, and nothing else needs them.
CHECKS_VENV := $(VENV)/checks
CHECKS := $(CHECKS_VENV)/.installed

COMPILE = $(UV_VENV)/bin/uv pip compile --universal --python-version 3.11 \
	--generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock" --quiet $(ARGS)

.DEFAULT_GOAL := help

.PHONY: help
help: ## List what there is to make
	@echo "usage: make TARGET [ARGS=...]"
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

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

.PHONY: soak
soak: $(INSTALLED) ## Try EXAMPLES random histories, other ones each time (2000: some minutes)
	ONFILE_EXAMPLES=$(EXAMPLES) $(BIN)/pytest tests/sandbox_oracle/test_random_operations.py $(ARGS)

.PHONY: fuzz
fuzz: $(INSTALLED) ## Throw a million inputs at what reads strangers' bytes, and all at the API (Linux)
	@test -d $(FUZZ_HOME) || $(PIP_INSTALL) --target $(FUZZ_HOME) $(FUZZERS)
	@for target in $(FUZZ_TARGETS); do \
		echo "fuzzing $$target"; \
		PYTHONPATH=$(FUZZ_HOME):. $(BIN)/python -m tests.fuzz.coverage_guided $$target $(FUZZ_HOME)/corpus/$$target \
			-runs=$(FUZZ_RUNS) -artifact_prefix=$(FUZZ_HOME)/ || exit 1; \
	done
	PYTHONPATH=$(FUZZ_HOME) $(BIN)/python -m tests.fuzz.described --max-examples 100 $(ARGS)
	ONFILE_EXAMPLES=$$(($(FUZZ_RUNS) / 100)) $(BIN)/pytest -q tests/fuzz

.PHONY: deployment
deployment: $(INSTALLED) $(CHECKS) ## Check deploy/ with the tools of its kinds, and walk the image's steps
	PATH="$(CURDIR)/$(CHECKS_VENV)/bin:$$PATH" ONFILE_WALK_IMAGE=1 $(BIN)/pytest tests/deploy $(ARGS)

.PHONY: chaos
chaos: $(INSTALLED) ## Kill, freeze, cut, fill and clog real processes under load, and count: $(ARGS)
	@$(BIN)/python -m tests.chaos $(ARGS)

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
	$(COMPILE) pyproject.toml --extra encryption --extra otel --extra stripe --group dev --output-file requirements.lock
	$(COMPILE) pyproject.toml --extra encryption --extra otel --extra stripe --constraint requirements.lock \
		--output-file deploy/image/requirements.lock
	$(COMPILE) --group build --constraint requirements.lock --output-file deploy/image/build.lock
	$(COMPILE) --group deployment --output-file deploy/checks/requirements.lock

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

$(CHECKS): deploy/checks/requirements.lock $(BIN)/python
	@$(BIN)/python -m venv $(CHECKS_VENV)
	@$(CHECKS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c $(NEW_ENOUGH) || { \
		echo "Onfile needs Python 3.11 or later; $(PYTHON) is older or missing." \
			"Name another: make install PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }
