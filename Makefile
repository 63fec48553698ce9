# What can be done with a clone of Loa; `make help` lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
# Test processes; each has its own servers and databases. More than cores: most tests wait for something.
JOBS ?= 4

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## List what can be done
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

.PHONY: run
run: $(VENV)/installed ## Install and start the service, on config.toml and a Valkey of its own
	@exec $(BIN)/loa serve $(ARGS)

.PHONY: test
test: $(VENV)/installed-tests chromium ## Run everything that can fail: linters, types, layers, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n $(JOBS) --dist loadfile $(ARGS)

.PHONY: deploytest
deploytest: $(VENV)/installed-tests proxies containers ## Run the service behind nginx, HAProxy and Caddy, in containers, and with least rights in Redis
	DEPLOY_TESTS=1 $(BIN)/pytest -n 2 --dist loadgroup tests/deploy $(ARGS)

.PHONY: browsertest
browsertest: $(VENV)/installed-tests browsers ## Try the widget and the console in Firefox and WebKit as well
	BROWSER_TESTS=1 $(BIN)/pytest tests/other_browsers $(ARGS)

.PHONY: lint
lint: $(VENV)/installed-tests ## Check style, types and layers, and put right what can be
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: bench
bench: $(VENV)/installed-tests ## Measure fan-out, memory, handshakes, idle load, and what presence costs
	$(BIN)/python -m benchmarks $(ARGS)

.PHONY: soak
soak: $(VENV)/installed-tests ## Hold the numbers against the truth for half an hour, everything broken in turn
	$(BIN)/python -m tests.truth --runs 12 --seconds 120 --readers 300 --workers 3 --json build/soak.json $(ARGS)

.PHONY: search
search: $(VENV)/installed-tests ## Try the properties that tests state on thousands of examples nobody has tried before
	$(BIN)/pytest -n 2 -m hypothesis --hypothesis-profile=search $(ARGS)

.PHONY: docs
docs: $(VENV)/installed ## Write docs/configuration.md from the settings
	$(BIN)/python -c 'import loa, settings.reference as r; print(r.markdown(loa.Settings), end="")' > docs/configuration.md

.PHONY: lock
lock: ## Choose the newest versions that pyproject.toml allows and write them down (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade \
	  pyproject.toml --output-file requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade \
	  pyproject.toml --extra test --constraint requirements.txt --output-file requirements-test.txt

.PHONY: clean
clean: ## Remove what was installed and built; the data directory stays
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is newer than what it was made from, so that a second run begins at once.

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "make: $(PYTHON) is not a Python of 3.11 or later; name one: make run PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "make: $(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/installed: $(VENV)/made requirements.txt pyproject.toml
	@echo "Installing what Loa needs ..."
	@$(PIP) --require-hashes --requirement requirements.txt
	@$(PIP) --no-deps --editable .
	@touch $@

$(VENV)/installed-tests: $(VENV)/installed requirements-test.txt
	@echo "Installing what the tests need ..."
	@$(PIP) --require-hashes --requirement requirements-test.txt
	@touch $@

.PHONY: chromium
chromium: $(VENV)/installed-tests
	@PLAYWRIGHT=$(BIN)/playwright sh .ci/chromium

.PHONY: browsers
browsers:
	@sh .ci/browsers

.PHONY: proxies
proxies:
	@sh .ci/proxies

.PHONY: containers
containers:
	@sh .ci/containers
