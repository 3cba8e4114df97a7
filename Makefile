# make run    builds, provisions an example, places four calls, keeps serving (ONCE=1: ends there)
# make test   builds and runs every check
# make docs   writes docs/objects.md and docs/settings.md from the protos, docs/metrics.md from the code
# make fuzz   fuzzes what reads octets of others, with clang's sanitizers (FUZZ_SECONDS=600, KEEP=1: keeps what it found new)
# make fuzz-rest  holds the served OpenAPI documents against what is served, at length (SEED=1, EXAMPLES=50)
# make bench  prints the figures, each beside its peer
# make bench-instructions  counts instructions a call, beside the figures kept (KEEP=1: keeps)
# make bench-edge  the same for the edge at full speed, beside Kamailio (BENCH=--quick: a look)

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
BUILT  := $(VENV)/.built
SOURCES := $(wildcard protos/callscreen/v1/*.proto) $(wildcard fastpath/*.pyx) $(wildcard fastpath/*.pxd) \
           $(wildcard identity/*.pyx) $(wildcard identity/*.pxd) \
           pyproject.toml setup.py

.PHONY: run test lint check docs fuzz fuzz-rest bench bench-instructions bench-edge clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(BUILT): $(BIN)/python $(SOURCES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  "setuptools>=77" wheel "cython>=3.3,<3.4" "grpcio-tools==1.85.1" "mypy-protobuf==5.1.0"
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --no-build-isolation --editable ".[test]"
	touch $@

run: $(BUILT)
	$(BIN)/python deploy/example.py $(if $(ONCE),--once)

test: lint check

lint: $(BUILT)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: $(BUILT)
	$(BIN)/python -m pytest

docs: $(BUILT)
	$(BIN)/python -m callscreen.schema.markdown > docs/objects.md
	$(BIN)/python -m callscreen.schema.settings_page > docs/settings.md
	$(BIN)/python -m callscreen.metrics_page > docs/metrics.md

fuzz: $(BUILT)
	$(BIN)/python -m tests.fuzz $(or $(FUZZ_SECONDS),600) $(if $(KEEP),--keep)

fuzz-rest: $(BUILT)
	CALLSCREEN_FUZZ_SEED=$(or $(SEED),$(shell date +%s)) CALLSCREEN_FUZZ_EXAMPLES=$(or $(EXAMPLES),50) \
	  $(BIN)/python -m pytest tests/e2e/test_schemathesis.py

bench: $(BUILT)
	$(BIN)/python -m bench

bench-instructions: $(BUILT)
	$(BIN)/python -m bench.instructions $(if $(KEEP),--keep)

bench-edge: $(BUILT)
	$(BIN)/python -m bench.edge $(BENCH)

clean:
	rm -rf $(VENV) build dist src/callscreen/v1 src/*.egg-info
	find fastpath identity -name '*.so' -delete
