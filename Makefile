# onesheet: two commands matter: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO_HOME ?= demo-home
PORT ?= 8000
SERVE ?= 1
BENCHMARKS ?= $(shell grep -l __main__ benchmarks/*.py | grep -v bare_app)

.PHONY: demo test check bench format clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

# torch goes first and pinned: a looser wish would fetch another build with gigabytes of extras.
$(VENV)/.demo-ready: setup.cfg pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -c constraints.txt torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	touch $@

$(VENV)/.test-ready: $(VENV)/.demo-ready
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

demo: $(VENV)/.demo-ready  ## draw a small catalog, index it, print one "more like this", serve it
	$(BIN)/onesheet --home $(DEMO_HOME) demo --port $(PORT) $(if $(filter 0,$(SERVE)),--no-serve,)

test: $(VENV)/.test-ready  ## every test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: $(VENV)/.test-ready  ## style, types, borders
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.test-ready  ## every benchmark, one after the other (long)
	for script in $(BENCHMARKS); do echo "== $$script"; $(BIN)/python $$script || exit 1; done

format: $(VENV)/.test-ready  ## let ruff mend what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## everything that can be made again
	rm -rf $(VENV) $(DEMO_HOME) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .coverage htmlcov
