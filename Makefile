# Everything runs in .venv, made from the hash-locked requirement files; nothing is installed elsewhere.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
TESTS  ?= tests

.PHONY: demo test lint types bench lock schemas clean

demo: $(VENV)/.runtime ## make a population, train, ship it twice
	$(BIN)/audit demo --out reports/demo --replace

test: lint types ## lint, types, and the whole test suite
	$(BIN)/python -m pytest $(TESTS) -n 2 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/interrogate --quiet audit_pipeline

types: $(VENV)/.dev
	$(BIN)/mypy

bench: bench-cli bench-demo bench-ecg bench-stats bench-paired bench-techniques bench-compress bench-privacy bench-seal bench-trail bench-tests ## times, the ECG example, statistics, compression, privacy, the sealed image, the trail

bench-tests: $(VENV)/.dev ## tests that are too slow for every day
	$(BIN)/python -m pytest $(TESTS) -m bench

bench-%: $(VENV)/.dev
	$(BIN)/python -m benchmarks.$*

schemas: $(VENV)/.dev ## write the published JSON Schemas again from the code
	$(BIN)/audit schema policy > policies/policy.schema.json
	$(BIN)/audit schema evidence > reports/evidence.schema.json
	$(BIN)/audit schema trust > policies/trust.schema.json

lock: ## resolve pyproject.toml again into the two lock files
	$(PYTHON) -m pip install --quiet uv
	uv pip compile pyproject.toml --extra build $(LOCK) -o requirements.lock
	uv pip compile pyproject.toml --extra build --extra dev --extra ecg --extra pkcs11 --extra postgres -c requirements.lock $(LOCK) -o requirements-dev.lock
LOCK := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else "audit needs Python 3.11 to 3.13, found " + sys.version.split()[0] + ": make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) --require-hashes -r requirements-dev.lock
	$(PIP) --no-deps --no-build-isolation -e .
	touch $@

clean:
	rm -rf $(VENV) reports/demo .pytest_cache .mypy_cache .ruff_cache
