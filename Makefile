# onesheet: two commands matter: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO_HOME ?= demo-home
PORT ?= 8000
SERVE ?= 1
DATA ?= ../shared/data
BENCH_HOME ?= bench-home

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

# The home that benchmarks ask: real posters and ratings, indexed once.
$(BENCH_HOME)/catalog.db: | $(VENV)/.test-ready
	$(BIN)/onesheet --home $(BENCH_HOME) import $(DATA)/labels.csv --posters $(DATA)/posters
	$(BIN)/onesheet --home $(BENCH_HOME) import $(DATA)/unlabelled.csv --posters $(DATA)/posters
	$(BIN)/onesheet --home $(BENCH_HOME) import $(DATA)/movielens
	$(BIN)/onesheet --home $(BENCH_HOME) reindex

bench: $(BENCH_HOME)/catalog.db  ## every benchmark, one after the other (hours)
	$(BIN)/python -m benchmarks.embedding_speed --posters $(DATA)/posters
	$(BIN)/python -m benchmarks.training_speed $(DATA)/labels.csv $(DATA)/posters
	$(BIN)/python -m benchmarks.import_speed
	$(BIN)/python -m benchmarks.similar_speed $(BENCH_HOME)
	$(BIN)/python -m benchmarks.api_load --home $(BENCH_HOME) --poster $(DATA)/posters/tt0088763.jpg
	$(BIN)/python -m benchmarks.taste_models --home $(BENCH_HOME)
	$(BIN)/python -m benchmarks.for_a_person $(BENCH_HOME)
	$(BIN)/python -m benchmarks.blend_search --home $(BENCH_HOME)
	$(BIN)/python -m benchmarks.store_kill --kills 250
	$(BIN)/python -m benchmarks.store_kill --kills 250 --database postgres
	$(BIN)/python -m benchmarks.store_flips --flips 200
	$(BIN)/python -m benchmarks.store_flips --flips 200 --database postgres
	$(BIN)/python -m benchmarks.store_scale --home $(BENCH_HOME) --rows 1000000
	$(BIN)/python -m benchmarks.fresh_at_scale --home $(BENCH_HOME)

format: $(VENV)/.test-ready  ## let ruff mend what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## everything that can be made again
	rm -rf $(VENV) $(DEMO_HOME) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .coverage htmlcov
