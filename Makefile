# One command each; every one does its own set-up, and every suite prints its seconds.
#   make run      build and serve on loopback; ARGS="--data DIR --seed FILE" goes to `penfold serve`
#   make test     everything that proves behaviour, in minutes       make soak   the same with the long counts, in hours
#   make bench    Penfold beside Postfix + Dovecot on this machine   make fuzz   every parser for FUZZ_SECONDS (60)
#   make bench-sending   the part of it that is mail out         make bench-dav  calendars, beside Radicale and on both engines
#   make month    dollars of an office mailbox, by part           make growth units of operations as mailboxes and cells grow
#   make cloud    the whole service beside a local AWS, until Ctrl-C: two edges of each kind, functions as Lambda runs them
#   make lint     formatting, clippy, licences, scripts              make build  target/release/penfold
.PHONY: run build build-all cloud test test-rust test-interop test-authentication test-crash test-diskfull test-sending test-api test-dav test-recurrence test-fairness test-powercut test-cloud test-service test-upgrade test-infra bench bench-sending bench-dav growth month soak lint fuzz
SHELL := /bin/bash
export PYTHONDONTWRITEBYTECODE := 1
SUITE := scripts/suite
# Everything there is, also what only the cloud needs; one selection, so that nothing is built twice.
ALL := --workspace --all-features --locked
FUZZ_SECONDS ?= 60
SOAK_SEEDS ?= 100000
CLOUD_ROUNDS ?= 20
GROWTH ?= 1000000

run: build
	exec target/release/penfold serve $(ARGS)

build:
	@scripts/setup-build
	cargo build --release --locked -p penfold-solo

cloud: build-all
	exec localstack/service

test: test-rust test-interop test-authentication test-crash test-diskfull test-sending test-api test-dav test-recurrence test-fairness test-powercut test-cloud test-infra

test-rust:
	@scripts/setup-build test
	@$(SUITE) rust cargo nextest run $(ALL) --no-fail-fast

test-interop: build
	@scripts/setup-test clients
	@$(SUITE) interop python3 tests/interop/run.py

# Signatures and chains, to dkimpy and from it.
test-authentication: build-all
	@scripts/setup-test clients
	@$(SUITE) authentication python3 tests/authentication/cross.py

test-crash: build
	@$(SUITE) crash python3 tests/crash/crash.py
	@$(SUITE) crash-dav python3 tests/crash/dav.py

test-diskfull: build
	@$(SUITE) diskfull python3 tests/crash/diskfull.py

# Mail out: no open relay, nothing lost under kills, and real hosts on a private network.
test-sending: build
	@scripts/setup-test clients
	@$(SUITE) relay python3 tests/sending/relay_open.py
	@$(SUITE) sending python3 tests/crash/sending.py
	@if scripts/setup-test peers; then $(SUITE) peers python3 tests/sending/peers.py && $(SUITE) certificates python3 tests/sending/certificates.py; else echo "SKIPPED: THE HOSTS OF OTHERS, WHICH CANNOT BE FETCHED"; fi

# Sign-up, accounts and administration over HTTP; who may do what; and schemathesis.
test-api: build
	@scripts/setup-test clients
	@$(SUITE) api python3 tests/api/run.py

# Calendars, contacts and files: how clients set an account up, who may do what, what is wrong or too much, and the standards' own examples.
test-dav: build
	@scripts/setup-test clients
	@$(SUITE) dialogs python3 tests/dav/dialogs.py
	@$(SUITE) matrix python3 tests/dav/matrix.py
	@$(SUITE) bad python3 tests/dav/bad.py
	@$(SUITE) standards python3 tests/dav/standards.py

# dateutil and icalendar beside us, on rules and objects by chance.
test-recurrence: build build-all
	@scripts/setup-test clients
	@$(SUITE) recurrence .venv/apart/bin/python tests/recurrence/second.py
	@$(SUITE) readers .venv/apart/bin/python tests/recurrence/readers.py

# One tenant that floods by mail, IMAP, jobs and API, beside 50 quiet ones.
test-fairness: build
	@$(SUITE) fairness python3 tests/fairness/fairness.py $(ARGS)

test-powercut: build
	@scripts/setup-test tools
	@$(SUITE) powercut python3 tests/powercut/powercut.py

build-all:
	@scripts/setup-build test
	cargo build $(ALL) --all-targets

# The contract of the ports on a local AWS.
test-cloud: build-all
	@if scripts/setup-cloud; then \
	   $(SUITE) contract localstack/with-aws cargo nextest run $(ALL) --offline -E 'package(penfold-aws) + binary_id(penfold-tests::cloud)'; \
	 elif [ $$? = 3 ]; then echo "SKIPPED: THE TESTS OF THE CLOUD PARTS, FOR THE REASON ABOVE"; else exit 1; fi

# Edges, functions and containers on a local AWS: slower than what guards every change.
test-service: build-all
	@scripts/setup-cloud
	@$(SUITE) local python3 tests/cloud/local.py
	@$(SUITE) host python3 tests/cloud/host.py
	@$(SUITE) service python3 tests/cloud/service.py --rounds $(CLOUD_ROUNDS) --fault-rounds 3
	@scripts/setup-test clients
	@for suite in signup account directory requests matrix examples; do $(SUITE) api-$$suite localstack/with-aws python3 tests/cloud/api.py $$suite || exit 1; done
	@$(SUITE) dav localstack/with-aws python3 tests/cloud/dav.py
	@$(SUITE) move python3 tests/cloud/move.py
	@$(SUITE) container python3 tests/cloud/container.py
	@$(SUITE) restore python3 tests/cloud/restore.py

# An earlier commit's binaries (tests/upgrade/base, built once) and the present ones on one store.
test-upgrade: build-all
	@$(SUITE) upgrade python3 tests/upgrade/upgrade.py $(ARGS)

test-infra:
	@if command -v npm >/dev/null; then $(SUITE) infra infra/check; else echo "SKIPPED: THE CHECK OF infra/, BECAUSE THERE IS NO npm"; fi

bench: build
	@scripts/setup-test bench
	@$(SUITE) bench python3 tests/bench/bench.py $(ARGS)
	@$(MAKE) --no-print-directory bench-sending ARGS=
	@$(MAKE) --no-print-directory bench-dav ARGS=--write

# Mail out: ARGS="queue --messages 500 --destinations 50 --no-write" is a small one.
bench-sending: build
	@if scripts/setup-test peers; then $(SUITE) bench-sending python3 tests/bench/outgoing.py $(ARGS); else echo "SKIPPED: MAIL OUT, WHOSE NAME SERVER CANNOT BE FETCHED"; fi

# Calendars: ARGS=--quick is a small one, ARGS="--sizes 1000,10000 --peer-up-to 10000" another. The other engine is measured where `make build-all` has been.
bench-dav: build
	@scripts/setup-test clients
	@$(SUITE) bench-dav python3 tests/bench/dav.py $(ARGS)

# Units of operations on ever larger mailboxes and in ever larger cells; GROWTH is the largest mailbox.
growth:
	@scripts/setup-build
	@cargo build $(ALL) --example growth
	@$(SUITE) growth bash -c 'target/debug/examples/growth $(GROWTH) >docs/growth.csv && python3 tests/bench/growth.py docs/growth.csv >docs/growth.svg'

# The whole of the month of which `make test` plays two weeks.
month:
	@scripts/setup-build test
	@$(SUITE) month env PENFOLD_MONTH=whole cargo nextest run $(ALL) --no-capture --test month

soak: build build-all
	@scripts/setup-build test
	@scripts/setup-test clients tools
	@$(SUITE) crash env ROUNDS=2000 python3 tests/crash/crash.py
	@$(SUITE) crash-dav env ROUNDS=2000 python3 tests/crash/dav.py
	@$(SUITE) sending env ROUNDS=1000 python3 tests/crash/sending.py
	@$(SUITE) api env API_EXAMPLES=200 python3 tests/api/run.py conformance
	@$(SUITE) recurrence .venv/apart/bin/python tests/recurrence/second.py --cases 100000 --patience 0.3
	@$(SUITE) readers .venv/apart/bin/python tests/recurrence/readers.py --objects 10000 --queries 1000
	@$(SUITE) powercut env CUTS=1000 python3 tests/powercut/powercut.py
	@$(SUITE) service python3 tests/cloud/service.py --rounds 200 --fault-rounds 50
	@$(SUITE) upgrade python3 tests/upgrade/upgrade.py --turns 40 --rounds 20
	@$(SUITE) simulation env SEEDS=$(SOAK_SEEDS) cargo nextest run --release --locked -p penfold-tests simulation

lint:
	@scripts/setup-build
	@$(SUITE) fmt cargo fmt --all --check
	@$(SUITE) clippy cargo clippy $(ALL) --all-targets -- --deny warnings
	@$(SUITE) licences scripts/check-licences
	@if command -v cargo-deny >/dev/null; then $(SUITE) deny cargo deny --locked check licenses bans sources; \
	 else echo "cargo-deny is not installed (cargo install --locked cargo-deny, some minutes): scripts/check-licences stands in for it"; fi
	@$(SUITE) scripts bash -c 'for f in $$(grep -rlE "^#!/bin/bash" scripts tests/bench/peers .ci); do bash -n "$$f" || exit 1; done; \
	  python3 -c "import ast, sys; [ast.parse(open(f).read(), f) for f in sys.argv[1:]]" $$(find tests scripts/check-licences -name "*.py" -o -path scripts/check-licences)'

# Without a sanitizer: those need -Z flags, and the toolchain is stable. Panics, hangs and memory are watched all the same.
fuzz:
	@scripts/setup-build
	@command -v cargo-fuzz >/dev/null || cargo install --locked --quiet cargo-fuzz
	@for target in $$(ls fuzz/fuzz_targets | sed 's/\.rs$$//'); do mkdir -p fuzz/corpus/$$target; \
	  $(SUITE) fuzz-$$target cargo fuzz run -s none $$target -- -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048 -timeout=10 || exit 1; done
