# Every command of the project; `make help` lists them. All of them set up what they need first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EMULATORS := annotations/dynamodb/tests/emulators
ASSETS := gas_project/assets
.DEFAULT_GOAL := help

help: ## list these commands
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: $(VENV)/.runtime ## make .venv with the locked dependencies

assets: $(ASSETS)/static/vendor/.installed ## install what browsers get: charts and a genome browser

run: setup assets ## run the whole service on this machine; Ctrl-C stops it
	@$(BIN)/python manage.py runservice

test: $(VENV)/.dev assets ## run the tests
	@$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist worksteal

dynamodb-tests: $(VENV)/.dev emulators ## run the tests over DynamoDB with thousands of random queries and claims
	@DYNAMODB_TESTS_IN_FULL=1 $(BIN)/pytest -s annotations/dynamodb/tests/test_differential.py annotations/tests/test_claims.py gas_project/tests/test_admin.py

schedules: $(VENV)/.dev ## run 200 random schedules of Stripe's events, lost, late, shuffled and repeated
	@SCHEDULES=200 $(BIN)/pytest -s billing/tests/test_schedules.py

django-suite: $(VENV)/.dev emulators ## run Django's own tests over DynamoDB, and make their page in docs/
	@$(BIN)/python -m annotations.dynamodb.tests.django_suite $(VENV)/django-suite --write docs/dynamodb-django-suite.md

emulators: $(EMULATORS)/node_modules/.package-lock.json ## install dynalite, a DynamoDB for the tests; needs npm

chaos: $(VENV)/.dev ## kill workers, double messages, take the broker away; half an hour at most, on a busy machine
	@timeout --foreground 1800 $(BIN)/pytest -m chaos --tb=short

lint: $(VENV)/.dev ## check style, types, imports and migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run

format: $(VENV)/.dev ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev emulators ## measure the engine beside bare bcftools, the archive beside cp, and jobs on DynamoDB
	@$(BIN)/python -m benchmarks.engine
	@$(BIN)/python -m benchmarks.vcf_spec
	@$(BIN)/python -m benchmarks.known_building
	@$(BIN)/python -m benchmarks.archive
	@$(BIN)/python -m benchmarks.results --sizes 1000000
	@$(BIN)/python -m benchmarks.jobs_on_dynamodb

fuzz: $(VENV)/.dev ## look long for an upload that the check does not answer well
	@FUZZ_EXAMPLES=20000 FUZZ_MUTATIONS=3000 $(BIN)/pytest --timeout=7200 annotations/engine/check/tests/test_fuzz.py

pictures: $(VENV)/.dev ## take the documentation's pictures anew, with the browser test
	@mkdir -p docs/images
	@$(BIN)/pytest -q gas_project/tests/onemachine/test_journey.py --pictures docs/images

lock: $(VENV)/.dev ## pin the dependencies anew, with hashes
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean: ## remove the virtual environment and caches; var/ with your data stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache build *.egg-info

# The site works without them, and says so: a machine that reaches no npm registry still runs it.
$(ASSETS)/static/vendor/.installed: $(ASSETS)/package-lock.json $(ASSETS)/install.py | $(VENV)/.runtime
	@$(BIN)/python $(ASSETS)/install.py || echo "Going on without plots and genome browser; 'make assets' tries again."

$(EMULATORS)/node_modules/.package-lock.json: $(EMULATORS)/package-lock.json
	@npm ci --prefix $(EMULATORS) --no-audit --no-fund --ignore-scripts --loglevel=error

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock | $(VENV)/bin/python
	@echo "Installing the dependencies into $(VENV) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing the tools for tests and checks into $(VENV) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: help setup run test dynamodb-tests schedules chaos django-suite emulators lint format bench fuzz pictures lock clean assets
