# Everything a fresh Debian or Ubuntu machine with Python >= 3.11 needs is set up on the way.
#
#   make demo     a recorded shop is judged: a bad canary is rolled back, a good one passes, and one
#                 whose own metrics are well is stopped by its traces
#   make test     setup, check, then every test with coverage (results in build/)
#   make check    format, lint, types and the direction of imports
#   make setup    only the virtual environment (.venv) and the system packages
#   make e2e      real Argo Rollouts and Flagger on a cluster without containers roll releases forward and back;
#                 builds them from their Go modules first (minutes, once). SCENARIO=argo-errors plays one of
#                 them, SCENARIO="healthy or errors" some; their logs are in build/e2e. `make e2e-programs` only builds
#   make e2e-full every scenario three times, and twenty healthy releases with each way of judging (hours)
#   make screenshots   take the pictures in docs/pictures anew; PICTURES="--only tune" takes some
#   make lock     write both lock files again from pyproject.toml (needs uv: https://docs.astral.sh/uv)
#   make clean    remove the virtual environment and everything that was built
#
# SYSTEM=no keeps setup from installing system packages; WORKERS and PYTEST are passed to pytest.

VENV    := .venv
BIN     := $(VENV)/bin
STAMP   := $(VENV)/.set-up
SYSTEM  ?= yes
WORKERS ?= 2
PYTEST  ?=
CHECKS  := $(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports
DEMO    ?=
PICTURES ?=
SCENARIO ?=

.PHONY: demo test check setup e2e-programs e2e e2e-full screenshots lock clean

demo: setup
	$(BIN)/firedamp demo $(DEMO)

# Everything is run even where an earlier part fails, so that one run tells all. Properties are tried on the
# same examples each time: a gate must not fall by chance. pytest by itself draws new ones.
test: setup
	@mkdir -p build; status=0; set -x; \
	{ $(CHECKS); } || status=1; \
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --hypothesis-profile=ci --junitxml=build/junit.xml \
	    --cov --cov-report= $(PYTEST) || status=1; \
	$(BIN)/coverage xml -q -o build/coverage.xml; \
	$(BIN)/coverage report --fail-under=90 || status=1; \
	$(BIN)/coverage report --fail-under=100 --include='plugin/firedamp/stats/*' || status=1; \
	exit $$status

check: setup
	$(CHECKS)

setup: $(STAMP)

$(STAMP): requirements-dev.lock pyproject.toml scripts/setup
	SYSTEM=$(SYSTEM) scripts/setup $(VENV)
	touch $@

e2e-programs: setup
	@PYTHONPATH=tests $(BIN)/python -m e2e

e2e: setup
	$(BIN)/python -m pytest tests/e2e -m e2e $(if $(SCENARIO),-k "$(SCENARIO)") $(PYTEST)

e2e-full: setup
	$(BIN)/python -m pytest tests/e2e -m e2e --rounds 3 --noise 20 $(PYTEST)

screenshots: setup
	$(BIN)/python scripts/screenshots.py $(PICTURES)

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
	    --all-extras -o requirements.lock pyproject.toml
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
	    --all-extras --group dev -c requirements.lock -o requirements-dev.lock pyproject.toml

clean:
	rm -rf $(VENV) build dist .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find plugin tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
