# Every command of the project; `make help` lists them. All of them set up what they need first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EMULATORS := annotations/dynamodb/tests/emulators
ASSETS := gas_project/assets
KERNELS := annotations/engine/kernels
.DEFAULT_GOAL := help

help: ## list these commands
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: $(VENV)/.kernels ## make .venv with the locked dependencies, and compile the engine's kernels

assets: $(ASSETS)/static/vendor/.installed ## install what browsers get: charts and a genome browser

run: setup assets ## run the whole service on this machine; Ctrl-C stops it
	@$(BIN)/python manage.py runservice

test: $(VENV)/.dev assets ## run the tests
	@$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile

journeys: $(VENV)/.dev emulators assets ## run the tests that take long ways through the whole service
	@$(BIN)/pytest -m "journey and not chaos" --numprocesses auto --maxprocesses 4 --dist loadfile

dynamodb-tests: $(VENV)/.dev emulators ## run the tests over DynamoDB with thousands of random queries and claims
	@DYNAMODB_TESTS_IN_FULL=1 $(BIN)/pytest -s -m "not chaos" annotations/dynamodb/tests/test_differential.py annotations/tests/test_claims.py gas_project/tests/test_admin.py archival/tests/test_thawing_many.py

schedules: $(VENV)/.dev ## run random schedules, 200 of Stripe's events and 60 of results' lives: lost, late, repeated
	@SCHEDULES=200 LIFE_EXAMPLES=60 $(BIN)/pytest -s billing/tests/test_schedules.py archival/tests/test_never_loses.py

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

rehearse: $(VENV)/.dev ## go a user's whole way through the service as it runs on AWS, over emulators
	@$(BIN)/python -m deploy.tests.rehearse

load-test: $(VENV)/.dev .venv-load/.ready emulators ## let 300 people on the site, and write docs/load.md; takes ten minutes
	@$(BIN)/python -m deploy.tests.load --against run --page docs/load.md
	@$(BIN)/python -m deploy.tests.load --against rehearse --page docs/load.md

autoscaling: $(VENV)/.dev ## run the model of the workers' autoscaling, and write its page in docs/
	@$(BIN)/python -m deploy.scaling --docs docs

deploy-checks: .venv-checks/.ready ## check the CloudFormation templates with cfn-lint and checkov
	.venv-checks/bin/cfn-lint deploy/templates/*.yaml
	.venv-checks/bin/checkov --config-file deploy/checks/checkov.yaml

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

bench-life: $(VENV)/.dev ## run results through archive and back with a retention of 30 s, over each cold storage
	@$(BIN)/python -m benchmarks.result_life

fuzz: $(VENV)/.dev ## look long for an upload that the check does not answer well
	@FUZZ_EXAMPLES=20000 FUZZ_MUTATIONS=3000 $(BIN)/pytest --timeout=7200 annotations/engine/check/tests/test_fuzz.py

api-fuzz: $(VENV)/.dev ## ask all that the API allows, and more, as two users, for some minutes
	@API_FUZZ_EXAMPLES=25 $(BIN)/pytest -q --timeout=1800 gas_project/tests/test_api_fuzz.py

pictures: $(VENV)/.dev ## take the documentation's pictures anew, with the browser test
	@mkdir -p docs/images
	@$(BIN)/pytest -q gas_project/tests/onemachine/test_journey.py --pictures docs/images

lock: $(VENV)/.dev ## pin the dependencies anew, with hashes
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --group build -c requirements.lock -o requirements-build.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url deploy/checks/requirements.in -o deploy/checks/requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url deploy/load/requirements.in -o deploy/load/requirements.lock

clean: ## remove the virtual environment and caches; var/ with your data stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache build *.egg-info

# Tools whose pinned dependencies are none of the service's have an environment each.
.venv-checks/.ready .venv-load/.ready: .venv-%/.ready: deploy/%/requirements.lock
	@$(PYTHON) -m venv .venv-$*
	@.venv-$*/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@
# The site works without them, and says so: a machine that reaches no npm registry still runs it.
$(ASSETS)/static/vendor/.installed: $(ASSETS)/package-lock.json $(ASSETS)/install.py | $(VENV)/.runtime
	@$(BIN)/python $(ASSETS)/install.py || echo "Going on without plots and genome browser; 'make assets' tries again."

$(EMULATORS)/node_modules/.package-lock.json: $(EMULATORS)/package-lock.json
	@npm ci --prefix $(EMULATORS) --no-audit --no-fund --ignore-scripts --loglevel=error

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock requirements-build.lock | $(VENV)/bin/python
	@echo "Installing the dependencies into $(VENV) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock -r requirements-build.lock
	@touch $@

$(VENV)/.kernels: $(wildcard $(KERNELS)/*.[ch]) $(KERNELS)/build.py $(VENV)/.runtime
	@echo "Compiling the engine's kernels ..."
	@$(BIN)/python -m annotations.engine.kernels.build > /dev/null
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime | $(VENV)/.kernels
	@echo "Installing the tools for tests and checks into $(VENV) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: help setup run test journeys dynamodb-tests schedules chaos django-suite emulators lint format bench bench-life fuzz api-fuzz pictures lock clean assets rehearse load-test autoscaling deploy-checks
