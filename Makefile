# Two commands from a fresh clone: `make demo` and `make test`.
# A machine without a GPU: make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu
PYTHON ?= python3
TORCH_INDEX ?=

BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: demo test install clean
.DELETE_ON_ERROR:

demo: install
	mkdir -p demo-out
	$(BIN)/fmnist detect demo/garments.mp4 -o demo-out/garments.mp4 \
	    --json demo-out/garments.jsonl --contact-sheet demo-out/garments.png --overwrite

test: install
	PYTHON=$(PYTHON) scripts/system-packages tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q

install: $(INSTALLED)

$(INSTALLED): pyproject.toml scripts/system-packages
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "fmnist needs Python 3.11 or newer; $(PYTHON) is not. Name a newer one: make PYTHON=python3.12"; exit 1; } >&2
	PYTHON=$(PYTHON) scripts/system-packages
	$(PYTHON) -m venv .venv
ifneq ($(TORCH_INDEX),)
	$(BIN)/python -m pip install torch torchvision --index-url $(TORCH_INDEX)
endif
	$(BIN)/python -m pip install --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv demo-out build fmnist.egg-info .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
