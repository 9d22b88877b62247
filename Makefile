# FuseVis for the web. Needs Python 3.11 or newer with venv; everything else is installed into .venv.
#
#   make run                                   the page, at http://127.0.0.1:8050/
#   make run ARGS="--pair MRI_FILE PET_FILE"   the same with a pair of your own
#   make run TORCH_INDEX=ADDRESS               the first time: takes PyTorch from this package index (see the README)
#   make test                                  lint, types, all tests (ARGS go to pytest)
#   make test-js                               JavaScript's own tests
#   make check FILE=tests/unit/test_pair.py    the tests of one file, without lint (ARGS go to pytest)
#   make faults                                what is killed, damaged or full in the midst, which make test leaves out
#   make load                                  many users at once, which make test leaves out
#   make fuzz                                  100,000 damaged files for the readers of images (ARGS="--inputs N")
#   make check-wheel                           installs the built package into an empty environment and opens its page
#   make lint | format                         lint and types only | bring the code into shape
#   make audit                                 known weaknesses of the installed packages
#   make api                                   the Python API as HTML, in build/api
#   make bench                                 all measurements, one to two hours, with one summary; or one of these,
#                                              each with ARGS="--help" for its options:
#   make bench-numerics                        times against full-image autograd, on a GPU with ARGS="--device cuda"
#   make bench-users                           twenty users hovering at once
#   make bench-group                           fifty people for ten minutes, who open pages, hover, export
#   make bench-large                           sixteen readers of a pair of 4096×4096 pixels
#   make bench-hover                           hovering in a headless Chromium: updates a second, time to paint
#   make bench-atlas                           the same where atlases were made before, which takes most of the time
#   make bench-compare                         the same on the compare page, five methods at once
#   make bench-compare-atlas                   the same with atlases
#   make bench-brush                           painting on an input: true changes a second, time to the prediction
#   make bench-page                            server's start, first view of the page
#   make bench-background                      hovering while guidance images or an atlas are computed
#   make bench-memory                          memory of hovering and of guidance images
#   make bench-growth                          times of larger images
#   make bench-sizes                           sizes of atlases
#   make samples                               makes the sample pairs again
#   make clean                                 removes .venv and what the tools left behind

PYTHON ?= python3
ARGS ?=
FILE ?=
TORCH_INDEX ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check
TORCH := $(shell sed -n 's/^torch==//p' requirements.txt)

.PHONY: run test check test-js load faults fuzz check-wheel lint lint/style lint/types lint/javascript lint/safety audit format api \
	samples browser clean \
	bench bench-numerics bench-users bench-group bench-large bench-hover bench-atlas bench-brush bench-compare bench-compare-atlas bench-page \
	bench-background bench-memory bench-growth bench-sizes

run: $(VENV)/installed
	@echo "Starting FuseVis; the page's address follows when it is ready ..."
	@exec $(BIN)/python -m app $(ARGS)

# Part by part, see tests/__main__.py; what each printed is kept in test-results.
test: $(VENV)/installed-dev browser
	@$(BIN)/python -m tests $(ARGS)

check: $(VENV)/installed-dev browser
	@test -n "$(FILE)" || { echo "Name the file: make check FILE=tests/unit/test_pair.py"; exit 2; }
	@$(BIN)/python -m tests --alone $(FILE) $(ARGS)

load: $(VENV)/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(ARGS) tests/load

faults: $(VENV)/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(ARGS) tests/faults

fuzz: $(VENV)/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 tests/fuzz $(ARGS)

check-wheel: $(VENV)/installed-dev
	$(BIN)/python -m tests.wheel $(if $(TORCH_INDEX),--torch-index $(TORCH_INDEX))

# The Node that runs these is a package of Python's, so that it is there wherever Python is.
test-js: $(VENV)/installed-dev
	$(BIN)/node --test "tests/js/*.test.mjs"

# In parts, so that -j2 runs two at once: the longest first, the others beside it.
lint: lint/types lint/style lint/javascript lint/safety

lint/style: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lint/types: $(VENV)/installed-dev
	$(BIN)/mypy

lint/javascript: $(VENV)/installed-dev $(VENV)/installed-js
	$(BIN)/node node_modules/typescript/bin/tsc -p .
	$(BIN)/node node_modules/eslint/bin/eslint.js .

lint/safety: $(VENV)/installed-dev
	$(BIN)/bandit -q -ll -c pyproject.toml -r app cache callbacks fusevis fusion

# Not among the tests: what it looks up changes without us. It needs a connection to pypi.org.
audit: $(VENV)/installed-dev
	$(BIN)/pip-audit --local --strict

format: $(VENV)/installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

api: $(VENV)/installed-dev
	$(BIN)/python -m pdoc --docformat numpy --output-directory build/api fusion fusion.errors fusion.pair fusion.reading fusion.data.entries
	@echo "Open build/api/index.html in a browser."

# What is missed is told, and fails only with ARGS=--strict; wrong results fail always.
bench: $(VENV)/installed-dev browser
	$(BIN)/python -m benchmarks $(ARGS)

bench-numerics: $(VENV)/installed
	$(BIN)/python -m benchmarks.jacobian_guidance $(ARGS)

bench-users: $(VENV)/installed
	$(BIN)/python -m benchmarks.users $(ARGS)

bench-group: $(VENV)/installed
	$(BIN)/python -m benchmarks.group $(ARGS)

bench-large: $(VENV)/installed
	$(BIN)/python -m benchmarks.large $(ARGS)

bench-hover: $(VENV)/installed-dev browser
	$(BIN)/python -m benchmarks.hovering $(ARGS)

bench-atlas: $(VENV)/installed-dev browser
	$(BIN)/python -m benchmarks.hovering --atlas $(ARGS)

bench-compare: $(VENV)/installed-dev browser
	$(BIN)/python -m benchmarks.comparing $(ARGS)

bench-brush: $(VENV)/installed-dev browser
	$(BIN)/python -m benchmarks.painting $(ARGS)

bench-compare-atlas: $(VENV)/installed-dev browser
	$(BIN)/python -m benchmarks.comparing --atlas $(ARGS)

bench-page: $(VENV)/installed-dev browser
	$(BIN)/python -m benchmarks.first_view $(ARGS)

bench-background: $(VENV)/installed
	$(BIN)/python -m benchmarks.background $(ARGS)

bench-memory: $(VENV)/installed
	$(BIN)/python -m benchmarks.memory $(ARGS)

bench-growth: $(VENV)/installed
	$(BIN)/python -m benchmarks.growth $(ARGS)

bench-sizes: $(VENV)/installed
	$(BIN)/python -m benchmarks.atlas_sizes $(ARGS)

samples: $(VENV)/installed-samples
	$(BIN)/python -m fusion.data.make_samples $(ARGS)

clean:
	rm -rf $(VENV) node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis build test-results fusevis.egg-info

# The stamps: whoever changes a list of requirements gets it installed at the next call.
$(VENV)/python-ready:
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
	    echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "FuseVis needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); \
	    echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@touch $@

# PyTorch before the rest, which then finds it there. Where pip sees no build for CPUs, it takes the one for GPUs.
$(VENV)/torch-chosen: $(VENV)/python-ready requirements.txt
ifneq ($(strip $(TORCH_INDEX)),)
	$(PIP) --no-deps --index-url $(TORCH_INDEX) torch==$(TORCH)
else
	@if test "$$(uname -s)" = Linux && \
	    ! $(BIN)/python -m pip index versions torch 2>/dev/null | grep -q -e ' $(TORCH)+' -e 'INSTALLED:.* $(TORCH)'; then \
	    echo "The package index here has PyTorch for GPUs only: about 2.7 GB to download, more than 5 GB on disk."; \
	    echo "The build for CPUs has 0.2 GB and 0.8 GB. To take it, stop this (Ctrl-C) and name an index that has it:"; \
	    echo "make run TORCH_INDEX=ADDRESS. The README says where PyTorch tells the address."; \
	fi
endif
	@touch $@

$(VENV)/installed: $(VENV)/torch-chosen requirements.txt
	@echo "Installing what FuseVis needs into $(VENV); the first time takes a few minutes ..."
	$(PIP) -r requirements.txt
	@touch $@

$(VENV)/installed-dev: $(VENV)/torch-chosen requirements-dev.txt requirements.txt
	$(PIP) -r requirements.txt -r requirements-dev.txt
	@touch $@ $(VENV)/installed

# Without a lock file, which would hold the addresses of a registry; package.json has exact versions.
$(VENV)/installed-js: $(VENV)/installed-dev package.json
	$(BIN)/npm install --no-package-lock --no-audit --no-fund
	@touch $@

$(VENV)/installed-samples: $(VENV)/torch-chosen requirements-samples.txt requirements.txt
	$(PIP) -r requirements.txt -r requirements-samples.txt
	@touch $@ $(VENV)/installed

# The browser tests drive the system's Chromium; a browser of its own is never downloaded.
browser:
	@ask=no; for name in chromium chromium-browser google-chrome; do \
	    if command -v $$name >/dev/null 2>&1; then exit 0; fi; \
	done; \
	if ! command -v apt-get >/dev/null 2>&1; then ask=yes; \
	elif [ "$$(id -u)" = 0 ]; then as=; \
	elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then as=sudo; \
	else ask=yes; fi; \
	if [ "$$ask" = yes ]; then \
	    echo "The browser tests need Chromium. Install your system's package, as: sudo apt-get install chromium"; exit 1; fi; \
	echo "Installing Chromium for the browser tests ..."; \
	$$as apt-get -q update && \
	$$as env DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends chromium fonts-liberation
