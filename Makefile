# `make` alone explains the commands. Each installs what it needs first, as the lock file says.
# ARGS goes to the command behind a target: make demo ARGS="--scale 0.1 --json".

ARGS =
PYTHON =
RUN = .venv/bin/python -m
INSTALLED = .venv/.installed

# What starts many processes compiles their code once, also where the environment says otherwise.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo drill rehearsal test test-live kills check format up bench lock clean

help: ## Explain the commands
	@awk -F ': .*## ' '/^[a-z-]+: .*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

install: $(INSTALLED) ## Make .venv as the lock file says

# Installed again also where the environment does not run or was made for another folder.
ifneq ($(shell cat $(INSTALLED) 2>/dev/null; test -x .venv/bin/python && .venv/bin/python -c "" 2>&1),$(CURDIR))
.PHONY: $(INSTALLED)
endif

$(INSTALLED): requirements.lock pyproject.toml .ci/install
	@PYTHON="$(PYTHON)" sh .ci/install

demo: $(INSTALLED) ## Watch a selling shop move to another store, without losing a record
	@$(RUN) app.cli demo $(ARGS)

drill: $(INSTALLED) ## Practise migrations in which everything goes wrong
	@$(RUN) app.cli drill $(ARGS)

rehearsal: $(INSTALLED) ## Rehearse a whole launch: gates, planted faults, adoption, forecasts
	@$(RUN) app.cli rehearsal $(ARGS)

test: $(INSTALLED) ## Run the tests
	@$(RUN) pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

test-live: $(INSTALLED) ## Run the tests against real stores, which npm installs
	@command -v node >/dev/null && command -v npm >/dev/null || \
		{ echo "make test-live needs Node and npm on the PATH: the stores run on them" >&2; exit 1; }
	@$(RUN) pytest tests/live --numprocesses 2 --dist worksteal $(ARGS)

kills: $(INSTALLED) ## Strike a worker at every place, in every way, during every kind of job
	@RECENT_SYNC_TEST_KILLS=all $(RUN) pytest tests/e2e/test_kill_matrix.py tests/e2e/test_restarts.py $(ARGS)

check: $(INSTALLED) ## Check format, style, types, import rules, the API's description and the guide
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	.venv/bin/lint-imports
	$(RUN) app.cli openapi --check
	$(RUN) app.cli guide --check

format: $(INSTALLED) ## Format the code
	$(RUN) ruff format .
	$(RUN) ruff check --fix .

up: $(INSTALLED) ## Start the API, two workers and the servers they need
	@$(RUN) app.cli up $(ARGS)

bench: $(INSTALLED) ## Measure how fast orders move
	@$(RUN) benchmarks $(ARGS)

LOCK = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

lock: ## Renew the lock files; ARGS=--upgrade takes newer versions
	@command -v uv >/dev/null || { echo "make lock needs uv on the PATH" >&2; exit 1; }
	$(LOCK) pyproject.toml --extra embedded --group dev --output-file requirements.lock $(ARGS)
	$(LOCK) pyproject.toml --constraint requirements.lock --output-file requirements-prod.lock
	$(LOCK) --group build --constraint requirements.lock --output-file requirements-build.lock

clean: ## Delete what was installed and built; data folders stay
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
