# Two commands do everything on a fresh machine with python3 >= 3.11, git and make:
#   make demo   sets up and diagnoses a shipped example
#   make test   sets up and passes the tests

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint types imports docs bench schemas golden clean

demo: $(STAMP)
	@# 0 (reachable) and 1 (unreachable or partial) are answers; anything else is a failure
	@$(BIN)/netinsight diagnose topologies/many-blockers.yaml --src i-jump --dst i-build --port 22; \
	status=$$?; test $$status -le 1

test: $(STAMP)
	$(BIN)/python -m pytest -n logical --dist worksteal tests

lint: $(STAMP)
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

imports: $(STAMP)
	$(BIN)/lint-imports

docs: $(STAMP)  ## build/docs/index.html
	$(BIN)/sphinx-build -W -n -q -b html docs build/docs

bench: $(STAMP)
	$(BIN)/python -m pytest benchmarks --benchmark-disable-gc

golden: $(STAMP)  ## rewrite whatever is kept as the tool wrote it; review it as a diff
	$(BIN)/python -m pytest -q tests/test_estate.py --update-golden  # an example, whose report is kept too
	$(BIN)/python -m pytest -q tests/test_rules.py tests/test_golden.py tests/test_golden_errors.py tests/test_examples.py \
		tests/test_schemas.py --update-golden
	$(BIN)/python -m pytest -q tests/test_docs.py tests/test_docs_generated.py tests/test_docs_notebook.py --update-golden

$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "NetInsight needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $(STAMP)

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
