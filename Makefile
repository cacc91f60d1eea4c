# `make demo` runs the product on this machine; `make test` and `make check` prove it. Nothing else to install
# but Python 3.11+, make and git.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONDONTWRITEBYTECODE # with bytecode each of the many processes starts 0.4 s sooner

.PHONY: help demo test client check fix lock bench chaos clean
help: ## Show the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

# A stamp per lock file: installing again happens only when the file changed.
$(VENV)/.embedded: requirements-embedded.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "Installing requirements (the first time: a minute or two) …"
	@$(PY) -m pip install --quiet -r requirements-embedded.lock
	@touch $@

$(VENV)/.dev: $(VENV)/.embedded requirements-dev.lock
	@echo "Installing what tests and checks need …"
	@$(PY) -m pip install --quiet -r requirements-dev.lock
	@touch $@

demo: $(VENV)/.embedded ## Start everything here, run a real simulation, keep serving (ONCE=1: end after the results; STUDY=1: and a small study; PORT=…)
	@$(PY) -u -m sumok8.demo $(if $(ONCE),--once) $(if $(STUDY),--study) $(if $(PORT),--port $(PORT))

test: $(VENV)/.dev ## Run all tests, and tell which branches of the rules and readings none takes (ARGS=… for pytest)
	$(PY) -m pytest -n 4 --dist worksteal $(if $(ARGS),,-p tests.coverage_told) $(ARGS)

chaos: $(VENV)/.dev ## Break the product on purpose, for longer (CHAOS_SEED=… CHAOS_JOBS=…, 2000 jobs if not told)
	CHAOS_JOBS=$${CHAOS_JOBS:-2000} $(PY) -m tests.chaos scenario crash-points
	$(PY) -m tests.chaos study sending
	CHAOS_JOBS=$${CHAOS_JOBS:-400} $(PY) -m tests.chaos clusters --away 120
	CHAOS_JOBS=$${CHAOS_JOBS:-500} $(PY) -m tests.chaos scenario --pooled
	CHAOS_JOBS=$${CHAOS_JOBS:-300} $(PY) -m tests.chaos crowded
	CHAOS_JOBS=$${CHAOS_JOBS:-300} $(PY) -m tests.chaos installations

bench: $(VENV)/.dev ## Measure it (ARGS="submission reconcile …" for some parts); figures also in bench-results.json
	@$(PY) -m benchmarks $(ARGS)

LOAD := import importlib, pkgutil, sumok8_client as c; \
	[importlib.import_module(m.name) for m in pkgutil.walk_packages(c.__path__, "sumok8_client.") if "__main__" not in m.name]
client: ## Install the client under other Pythons (PYTHONS="python3.9 python3.13") and load all of it
	@for python in $(or $(PYTHONS),python3.9 python3.13); do \
	  scratch=$$(mktemp -d) && cp -r client $$scratch && $$python -m venv $$scratch/venv && \
	  $$scratch/venv/bin/pip install --quiet $$scratch/client && cd $$scratch && \
	  venv/bin/python -W error -c '$(LOAD)' && venv/bin/python --version && venv/bin/sumok8 --version; \
	  status=$$?; cd $(CURDIR); rm -rf $$scratch; test $$status = 0 || exit $$status; done

check: $(VENV)/.dev ## Format, lint, types, import rules, migrations in step, manifests
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(PY) -m mypy sumok8 tenants simulations clusterops localcluster client
	$(VENV)/bin/lint-imports
	$(PY) -m tests.check_migrations
	$(PY) -m deploy.validate

fix: $(VENV)/.dev ## Format and mend what can be mended
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

LOCK := $(VENV)/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --no-annotate --no-header
lock: $(VENV)/.dev ## After a change of requirements*.txt: exact versions and hashes of all that they bring
	$(LOCK) requirements-dev.txt -o requirements-dev.lock
	$(LOCK) requirements-embedded.txt -c requirements-dev.lock -o requirements-embedded.lock
	$(LOCK) requirements.txt -c requirements-dev.lock -o requirements.lock

clean: ## Remove the virtual environment and the demo's data
	rm -rf $(VENV) var staticfiles
