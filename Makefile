# Two commands: `make demo` plays, `make test` checks. Both do all the set-up.

PYTHON ?= python3
BIN := .venv/bin
JOBS ?= 16
# Processes that share the tests, whole files each.
WORKERS ?= 2

# More threads than free cores make torch and BLAS ten to a hundred times slower.
export OMP_NUM_THREADS = 1
export OPENBLAS_NUM_THREADS = 1
export MKL_NUM_THREADS = 1
export HF_HUB_OFFLINE = 1

.DEFAULT_GOAL := help
.PHONY: help setup model engines browser demo test test-slow check format lock ladder study-advgame study-planning study-planning-hex study-planning-chess study-inside-outside study-external-search search-sweep bench docs clean

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 24

setup: ## Make .venv at pinned versions (done by the others, too)
	@PYTHON="$(PYTHON)" .ci/setup

engines:
	@.ci/engines

browser:
	@.ci/engines --browser

model: setup
	@$(BIN)/stratarena models fetch smollm2 >/dev/null

demo: setup engines model ## Play the demo tournament and write its report (some minutes)
	@$(BIN)/stratarena demo --jobs $(JOBS)

test: setup browser model ## Run the test suite (no network, some minutes)
	@$(BIN)/python -m pytest -m "not slow" -n $(WORKERS) --dist loadfile

test-slow: setup browser model ## Run the slow tests as well
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

check: setup ## Format, lint and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@.ci/types

format: setup ## Bring all code into form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: setup ## Make the lock files again
	@.ci/lock

ladder: setup engines ## Play the calibration leagues of the ladder again (some twenty minutes)
	@$(BIN)/python bench/ladder.py

study-advgame: setup model ## Play the design of AdvGameBench with bundled agents, and report it (most of an hour)
	@$(BIN)/stratarena run examples/advgamebench.toml --db advgamebench.db --jobs 64
	@$(BIN)/stratarena annotate advgamebench --db advgamebench.db
	@$(BIN)/stratarena metrics advgamebench --db advgamebench.db
	@$(BIN)/stratarena report advgamebench --db advgamebench.db

study-planning: setup ## Measure the game model and what search makes of it (an hour or more; cut off, it goes on where it was)
	@$(BIN)/python bench/planning_study.py

study-planning-hex: setup ## Measure the Hex 5x5 model the same way (a quarter of an hour; goes on where it stopped)
	@$(BIN)/python bench/planning_hex.py

study-planning-chess: setup ## Measure the chess endings' model, and whether it mates (a quarter of an hour; goes on where it stopped)
	@$(BIN)/python bench/planning_chess.py

study-inside-outside: setup model ## One model asked for a move, a search inside its answer and one around it (an hour; goes on where it stopped)
	@$(BIN)/python bench/study_inside_outside.py

study-external-search: setup model ## More simulations, higher score? Goes on where it stopped (two hours)
	@$(BIN)/python bench/study_external_search.py

search-sweep: setup ## Show why the constants of the search kernel are what they are (some minutes)
	@$(BIN)/python bench/search_sweep.py

bench: setup engines model ## Print speeds beside bare loops
	@$(BIN)/python bench/record_speed.py
	@$(BIN)/python bench/simulations.py
	@$(BIN)/python bench/kernel_speed.py
	@$(BIN)/python bench/dispatch.py
	@$(BIN)/python bench/local_models.py
	@$(BIN)/python bench/local_jobs.py

docs: setup ## Make generated documents again
	@$(BIN)/python -m stratarena.db.schema_doc > docs/schema.md

clean: ## Remove what the others made, but not databases and reports
	rm -rf .venv build agents/__pycache__ .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
