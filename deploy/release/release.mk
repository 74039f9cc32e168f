# The release: one static program for linux-x64, its libraries from pinned sources (lock, build.sh).

RELEASE_PACKAGES := gcc binutils musl-tools perl patch tar gzip xz-utils debian-archive-keyring

CFLAGS_release := -O2 -fPIE -fstack-protector-strong -fstack-clash-protection -fno-asynchronous-unwind-tables \
                  -ffunction-sections -fdata-sections -ffile-prefix-map=$(CURDIR)=.

ifeq ($(FLAVOUR),release)
CC   := musl-gcc
DEPS := build/release-deps
# Where build.sh has put the libraries: `make release` says it.
LIBRARIES ?= $(error use `make release`)
CFLAGS_release += $(foreach library,openssl curl cjson civetweb,-isystem $(LIBRARIES)/$(library)/include)

# Threads get the stack they would have from glibc, where musl gives them 128 KB.
LDFLAGS_release := -specs=$(BUILD)/static-pie.specs -s -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code \
                   -Wl,-z,stack-size=8388608,--gc-sections,--build-id=sha1

$(BIN)/handler: private CC := gcc
$(BIN)/handler: private LIBS := $(foreach library,curl civetweb cjson openssl,-L$(LIBRARIES)/$(library)/lib) \
                        -lcivetweb -lcurl -lcjson -lssl -lcrypto
$(BIN)/handler: $(BUILD)/static-pie.specs

# Other libraries, perhaps from an older cache: everything is made again.
$(BUILD)/libraries: FORCE
	@mkdir -p $(@D)
	@echo '$(LIBRARIES)' | cmp -s - $@ || echo '$(LIBRARIES)' > $@
$(patsubst %.c,$(BUILD)/%.o,$(wildcard handler/*.c handler/*/*.c)): $(BUILD)/libraries

# musl-gcc's own specs make programs that want musl's loader; these make one that places itself.
$(BUILD)/static-pie.specs: /usr/lib/x86_64-linux-musl/musl-gcc.specs
	@mkdir -p $(@D)
	$(Q)sed -e 's:%{!shared\: \(/[^ }]*\)Scrt1.o}:\1rcrt1.o:' \
	  -e 's/^-dynamic-linker .*/-static -pie --no-dynamic-linker -z text -nostdlib/' $< > $@
endif

##> Shipping
release: build/release-deps ## build bin/release/handler: one static program, all libraries inside
	@libraries=$$(deploy/release/build.sh) && \
	  $(MAKE) --no-print-directory FLAVOUR=release LIBRARIES="$$libraries" bin/release/handler && \
	  mkdir -p build/release/licences && cp "$$libraries"/licences/*.txt build/release/licences/

release-lock: build/release-deps ## write deploy/release/lock anew: the newest sources that Debian's mirrors really have
	deploy/release/fetch.sh --newest

# `RELEASE_CORE=12`: of the cases each twelfth is played, and not all stories.
release-check: ## check the release: shape, size, empty folder, Debian 11, twice the same bytes, end to end
	@$(MAKE) --no-print-directory release
	@$(MAKE) --no-print-directory everything
	@tests/deps.sh curl ca-certificates
	@tests/release_lock.sh
	@tests/release.sh bin/release/handler
	@tests/release_twice.sh
	@bin/e2e/run --handler $(CURDIR)/bin/release/handler $(if $(RELEASE_CORE),--core $(RELEASE_CORE)) tests/cases
	@$(if $(RELEASE_CORE),bin/e2e/run --handler $(CURDIR)/bin/release/handler --only trust: tests/cases)

release-twice: release ## build the libraries twice too (minutes): the same bytes in two folders
	@tests/release_twice.sh --all

build/release-deps: deploy/release/release.mk tests/deps.sh
	@mkdir -p $(@D)
	@tests/deps.sh $(RELEASE_PACKAGES)
	@touch $@

.PHONY: release release-check release-twice release-lock
