# imafs: everything a user or a CI machine needs. `make demo` and `make test` do all of it,
# from Debian packages to the built program; see README.md.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build
.DELETE_ON_ERROR:

PREFIX ?= /usr/local
# mount(8) looks for its helpers in /sbin only, whatever PREFIX is.
SBINDIR ?= /usr/sbin
DESTDIR ?=

NODE_MODULES := node_modules/.imafs-installed
ADDON := native/build/Release/imafs.node
XATTR := node_modules/fs-xattr/build/Release/xattr.node
TYPESCRIPT := dist/.imafs-built

# Headers of the distribution's Node spare node-gyp a download, if they are this Node's.
NODEDIR = $(shell .ci/node-headers)

.PHONY: build demo test parity test-sanitize fuzz soak check format bench conformance install clean machine

build: $(TYPESCRIPT) $(ADDON) $(XATTR)

# What the machine needs: Node first, then Debian packages. Quick when nothing is missing.
machine:
	@.ci/prepare-machine build

$(NODE_MODULES): package.json package-lock.json | machine
	npm ci --ignore-scripts --no-audit --no-fund
	touch $@

$(ADDON): $(wildcard native/*.cpp native/*.hpp) native/binding.gyp $(NODE_MODULES)
	node_modules/.bin/node-gyp rebuild -C native $(NODEDIR)
	touch $@

$(XATTR): $(NODE_MODULES)
	node_modules/.bin/node-gyp rebuild -C node_modules/fs-xattr $(NODEDIR)

$(TYPESCRIPT): $(shell find src test -name '*.ts' -not -path 'test/architecture-fixture/*') tsconfig.json $(NODE_MODULES)
	node_modules/.bin/tsc -p tsconfig.json
	touch $@

demo: build
	@.ci/prepare-machine demo
	test/demo/demo.sh

test: build
	@.ci/prepare-machine test
	node dist/test/run-tests.js

# Asks a real kernel all questions of test/parity again (IMAFS_ORACLE: where run-oracle.sh is), and
# compares imafs with its answers as `make test` does.
parity: build
	@.ci/prepare-machine test
	node dist/test/parity/capture.js
	node dist/test/run-tests.js parity/parity

# Native and mount tests once more with the address, undefined behaviour and thread sanitizers.
test-sanitize: build
	@.ci/prepare-machine sanitize
	test/sanitize/run.sh

# Whatever the kernel would never send, and whatever strangers may write: an hour for each target.
# FUZZ_TARGET=requests, or one that test/fuzz/js/targets.ts names, is that one alone.
FUZZ_SECONDS ?= 3600
FUZZ_TARGET ?=
fuzz: build
	@.ci/prepare-machine fuzz
	$(if $(filter-out requests,$(FUZZ_TARGET)),,test/fuzz/run.sh $(FUZZ_SECONDS))
	$(if $(filter requests,$(FUZZ_TARGET)),,node dist/test/fuzz/js/main.js $(FUZZ_SECONDS) $(FUZZ_TARGET))

# Building is the type check.
check: $(TYPESCRIPT)
	@.ci/prepare-machine check
	node_modules/.bin/eslint .
	node_modules/.bin/biome check .
	.ci/check-native-format
	.ci/lint-docker
	node --test dist/test/architecture.test.js

format: $(NODE_MODULES)
	node_modules/.bin/biome check --write .
	.ci/check-native-format --write

bench: build
	@.ci/prepare-machine bench
	node dist/test/bench/bench.js

# A million mixed operations that must leave nothing behind; `make test` does 20,000.
soak: build
	@.ci/prepare-machine test
	IMAFS_SOAK=1000000 node dist/test/run-tests.js mount/soak

# The public suites, from their sources: test/conformance/README.md.
conformance: build
	@.ci/prepare-machine conformance
	test/conformance/pjdfstest "$(PJDFSTEST)"
	test/conformance/xfstests "$(XFSTESTS)"
	test/conformance/ima-evm-utils "$(IMA_EVM_UTILS)"

install: build
	.ci/install-files "$(DESTDIR)" "$(PREFIX)" "$(SBINDIR)"

clean:
	rm -rf dist native/build node_modules/.imafs-installed test/helpers/bin
