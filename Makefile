# Two commands: `make run` and `make test`. Everything is written below build/ and .venv/.
PROFILE ?= quick
PYTHON ?= python3
REPEATS ?= 3
TEST_PROCESSES ?= 2
PIP = .venv/bin/python -m pip --disable-pip-version-check install --quiet
PYTEST = .venv/bin/python -m pytest --numprocesses $(TEST_PROCESSES) \
	--dist loadscope --no-loadscope-reorder --durations=25

.PHONY: run test test-fast test-stress lint bench report publish release-check \
	submission export clean

run: .venv/installed
	.venv/bin/latent-arithmetic run --profile $(PROFILE)

test: .venv/installed-for-tests lint
	$(PYTEST)

test-fast: .venv/installed-for-tests lint
	$(PYTEST) -m "not slow and not stress"

test-stress: .venv/installed-for-tests
	.venv/bin/python -m pytest -m stress

lint: .venv/installed-for-tests
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

report publish submission: .venv/installed
	.venv/bin/latent-arithmetic $@ --profile $(PROFILE)

release-check export: .venv/installed
	.venv/bin/latent-arithmetic $@

bench: .venv/installed
	.venv/bin/python -m benchmarks --repeats $(REPEATS)

.venv/installed: requirements.txt pyproject.toml
	@echo "installing into .venv (a few minutes, once)"
	$(PYTHON) -m venv .venv
	$(PIP) --editable .
	@touch $@

.venv/installed-for-tests: .venv/installed
	$(PIP) --editable ".[test,jax,cluster]"
	@touch $@

clean:
	rm -rf build .venv
