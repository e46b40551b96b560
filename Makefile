# crossdock: every target makes what it needs. Python 3.11 or newer is all that must be there.
#
#   make demo    one order crosses the dock, end to end, against an emulated world
#   make test    all tests, on real NATS, PostgreSQL and Redis
#   make check   format, lint, types, import rules, the wheel, known vulnerabilities; dist/sbom.cdx.json
#   make lock    write requirements/*.txt anew after a change of pyproject.toml; ARGS=--upgrade: newer versions
#   make planted what reconciliation finds among 100,000 documents with 1,000 faults
#   make replay  all of INTAKE comes again, COUNT messages (200000), to no effect
#   make outages NATS, PostgreSQL, Redis, a target: each away for SECONDS (600)
#   make bench   how fast it is, what the time goes to, and peers beside it
#   make replay-beside  what live deliveries notice of a replay of 100,000 letters
#   make one-bad  what other deliveries notice of one bad key or target
#   make audit-chain  how long one bad row of the audit trail takes to find, among ROWS (1000000)
#   make growth  whether 10 million documents in the ledger slow down who asks it: 27 GB in GROWTH, ten minutes to fill
#   make growth-cost  what an order costs beside 10,000 and beside 1,000,000 documents; ARGS='--long 300000': memory
#   make intake  documents a second that are stored for good, and how long a caller waits
#   make deliver  how long from a purchase order to the sales order in the ERP, RATE a second (200)
#   make map-diff  what comparing mappings costs a document, COUNT of them (3000)
#   make faults  two hubs, killed and cut off again and again; `make campaign HOURS=2` goes on for longer
#   make sim     the hub in simulated time under every fault, SEEDS=5000 of them; SEED=77 replays one
#   make teeth   seeded bugs, each of which a test must catch
#   make corpus  every X12 and EDIFACT file of the samples judged: docs/edi-corpus.md
#   make fuzz    bad bytes for the EDI readers and AS2, MINUTES=1 of processor time each; TARGET=x12 for one
#   make clean   remove what was built and what the demo stored; `make distclean` also the environment

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Two test processes share the machine's cores; each has servers of its own.
WORKERS ?= 2
# How long a campaign strikes, and where its journals stay.
HOURS ?= 2
CAMPAIGN ?= .crossdock/campaign
# Where the large ledger of `make growth` is kept; remove the folder afterwards.
GROWTH ?= .crossdock/growth
# How many seeds the simulation runs; SEED=77 replays one, BUG=name plants a bug.
SEEDS ?= 5000

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test check lock format planted replay outages bench replay-beside one-bad audit-chain growth growth-cost intake deliver map-diff faults campaign sim teeth corpus fuzz clean distclean
.DEFAULT_GOAL := demo

# What runs the hub, as locked, each file by its hash; then ours, editable: changes need none of this.
$(VENV)/.runs: pyproject.toml requirements/run.txt requirements/build.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	@echo "Making the environment in $(VENV) (once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --quiet --require-hashes --requirement requirements/run.txt --requirement requirements/build.txt
	@$(BIN)/python -m pip install --quiet --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# And what tests and checks it.
$(VENV)/.checks: $(VENV)/.runs requirements/dev.txt
	@echo "Adding the tools to $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --quiet --require-hashes --requirement requirements/dev.txt
	@touch $@

# Versions stay as they are where pyproject.toml allows them. No index is written down: any mirror will do.
# An environment that does not fit the old lock must not keep a new one from being written.
LOCK = $(VENV)/lock/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 \
	--generate-hashes --custom-compile-command "make lock" $(ARGS)
lock:
	@test -x $(VENV)/lock/bin/python || $(PYTHON) -m venv $(VENV)/lock
	@$(VENV)/lock/bin/python -m pip install --quiet --quiet --upgrade 'pip>=25.1'
	@$(VENV)/lock/bin/python -m pip install --quiet --quiet --group lock
	@$(LOCK) pyproject.toml --output-file requirements/run.txt
	@$(LOCK) --group pyproject.toml:dev --constraints requirements/run.txt --output-file requirements/dev.txt
	@$(LOCK) --group pyproject.toml:build --constraints requirements/dev.txt --output-file requirements/build.txt

demo: $(VENV)/.runs
	@$(BIN)/crossdock demo $(ARGS)

test: $(VENV)/.checks
	@$(BIN)/pytest --numprocesses=$(WORKERS) --dist=worksteal $(ARGS)

check: $(VENV)/.checks
	@$(BIN)/ruff format --check --quiet || { echo "run: make format"; exit 1; }
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache > $(VENV)/imports.txt || { cat $(VENV)/imports.txt; exit 1; }
	@$(BIN)/crossdock map lint > $(VENV)/mappings.txt || { cat $(VENV)/mappings.txt; exit 1; }
	@$(BIN)/pytest --quiet tests/unit/test_packaging.py
	@$(BIN)/python .ci/audit.py requirements/run.txt requirements/dev.txt
	@$(BIN)/python .ci/sbom.py requirements/run.txt dist/sbom.cdx.json
	@echo "format, lint, types, imports, mappings and wheel are right"

format: $(VENV)/.checks
	@$(BIN)/ruff format --quiet
	@$(BIN)/ruff check --quiet --fix

# 1,000 faults among 100,000 clean documents: all found in one cycle, nothing else, how long it took.
planted: $(VENV)/.checks
	@CROSSDOCK_PLANTED_FULL=1 $(BIN)/pytest -q -s --disable-warnings tests/integration/test_planted.py

replay: $(VENV)/.checks
	@CROSSDOCK_REPLAY_COUNT=$(or $(COUNT),200000) $(BIN)/pytest --quiet --capture=no tests/integration/test_full_replay.py $(ARGS)

outages: $(VENV)/.checks
	@CROSSDOCK_OUTAGE_SECONDS=$(or $(SECONDS),600) $(BIN)/pytest --quiet --capture=no tests/integration/test_outages.py $(ARGS)

# The peers of EDI, in an environment of their own: one of them wants an older click than we do.
$(VENV)/peers/.made: pyproject.toml
	@$(PYTHON) -m venv $(VENV)/peers
	@$(VENV)/peers/bin/python -m pip install --quiet --quiet --upgrade 'pip>=25.1'
	@$(VENV)/peers/bin/python -m pip install --quiet --quiet --group bench
	@touch $@

bench: $(VENV)/.checks $(VENV)/peers/.made
	@$(BIN)/python -m tests.bench $(ARGS)

# Windows with and without the replay take turns: the ratio of the two is what counts.
replay-beside: $(VENV)/.checks
	@$(BIN)/python -m tests.bench.replay_beside $(ARGS)

one-bad: $(VENV)/.checks
	@$(BIN)/python -m tests.bench.one_bad $(ARGS)

audit-chain: $(VENV)/.checks
	@$(BIN)/python -m tests.bench.audit_chain --rows $(or $(ROWS),1000000)

# The ledger stays until it is removed: asking again takes a minute.
growth: $(VENV)/.checks
	@test -d $(GROWTH) || $(BIN)/python -m tests.bench.growth fill --folder $(GROWTH) --documents 10110000
	@$(BIN)/python -m tests.bench.growth ask --folder $(GROWTH) $(ARGS)

growth-cost: $(VENV)/.checks
	@$(BIN)/python -m tests.bench.growth_cost $(ARGS)

intake: $(VENV)/.checks
	@$(BIN)/python -m tests.bench.intake $(ARGS)

deliver: $(VENV)/.checks
	@$(BIN)/python -m tests.bench.deliver --rate $(or $(RATE),200) $(ARGS)

map-diff: $(VENV)/.checks
	@$(BIN)/python -m tests.bench.map_diff $(COUNT)

faults: $(VENV)/.checks
	@$(BIN)/python -m tests.faults gate $(ARGS)

# Unattended: seed after seed, each in a folder of its own; docs/fault-report.md then tells of all of them.
campaign: $(VENV)/.checks
	@$(BIN)/python -m tests.faults campaign --hours $(HOURS) --folder $(CAMPAIGN) $(ARGS)
	@$(BIN)/python -m tests.faults report --folder $(CAMPAIGN)

sim: $(VENV)/.checks
	@$(BIN)/python -m tests.sim --seeds $(SEEDS) $(if $(SEED),--seed $(SEED)) $(if $(BUG),--bug $(BUG))

teeth: $(VENV)/.checks
	@$(BIN)/pytest --quiet --numprocesses=$(WORKERS) tests/faults/teeth/bite.py $(ARGS)

# Verdicts by policy, and where they disagree with a file's source; CROSSDOCK_SAMPLES names their folder.
corpus: $(VENV)/.checks
	@$(BIN)/python -m tests.corpus

# Guided by coverage; without MINUTES and TARGET a minute of each. KEEP=1 takes over what it found out.
fuzz: $(VENV)/.checks
	@$(BIN)/python -m pip install --quiet --quiet --group fuzz
	@$(BIN)/python -m tests.fuzz --target $(or $(TARGET),all) --minutes $(or $(MINUTES),1) $(if $(KEEP),--keep) $(ARGS)

# A hub that runs holds its folder's lock: its data is not pulled from under it.
clean:
	@for lock in $$(find .crossdock -maxdepth 2 -name servers.lock 2>/dev/null); do \
		flock --nonblock $$lock true || { echo "a hub runs on $${lock%/*}: stop it first"; exit 1; }; \
	done
	@rm -rf .crossdock dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage*
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean
	@rm -rf $(VENV)
