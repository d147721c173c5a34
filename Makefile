# Weir. `make help` lists what a person types; everything is built below $(BUILD).

VERSION := 0.1.0
PREFIX ?= /usr/local
BUILD ?= build
CC ?= cc
SANITIZE ?=
OPTIMIZE ?= -O2 -g

# Intel's multi-buffer ciphers exist on x86-64 only; elsewhere OpenSSL does it all.
IPSEC_MB := $(filter x86_64,$(shell uname -m))
PACKAGES := libuv nice glib-2.0 openssl libmicrohttpd jansson libjwt sqlite3 libpq libcurl
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wpointer-arith -Wwrite-strings -Wundef -Wformat=2 -Wvla -Wimplicit-fallthrough \
	-Werror

# Asked for when a recipe runs, so that `make run` on a bare machine can install the packages first.
PKG_CFLAGS = $(shell pkg-config --cflags $(PACKAGES) | sed 's/-I/-isystem /g')
PKG_LIBS = $(shell pkg-config --libs $(PACKAGES)) -lwslay -linih -lm $(if $(IPSEC_MB),-lIPSec_MB)
SANITIZE_FLAGS := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all)
TEST_LIBS = $(PKG_LIBS) $(shell pkg-config --libs libsrtp2)
E2E_PACKAGES := nice gstreamer-1.0 gstreamer-webrtc-1.0 gstreamer-sdp-1.0
E2E_CFLAGS = $(shell pkg-config --cflags $(E2E_PACKAGES) | sed 's/-I/-isystem /g')
CFLAGS_ALL = -std=c11 -D_GNU_SOURCE -DWEIR_VERSION='"$(VERSION)"' $(if $(IPSEC_MB),-DWEIR_IPSEC_MB) \
	-I. $(PKG_CFLAGS) $(WARNINGS) \
	$(OPTIMIZE) $(SANITIZE_FLAGS) -pthread $(CFLAGS)
LDFLAGS_ALL = $(SANITIZE_FLAGS) -pthread $(LDFLAGS)

RTP_SRC := $(wildcard rtp/*.c)
SFU_SRC := $(wildcard sfu/*.c)
SIG_SRC := $(filter-out signaling/main.c,$(wildcard signaling/*.c))
BENCH_SRC := $(filter-out bench/main.c,$(wildcard bench/*.c))
UNIT_SRC := $(wildcard tests/unit/*/*.c)
WORLD_SRC := $(wildcard tests/sim/world*.c)
SIM_SRC := $(filter-out $(WORLD_SRC),$(wildcard tests/sim/*.c))
FUZZ_SRC := $(filter-out tests/fuzz/replay.c,$(wildcard tests/fuzz/*.c))
WEB_FILES := $(sort $(wildcard signaling/web/*.html signaling/web/*.css signaling/web/*.js signaling/web/*.svg))

objects = $(patsubst %.c,$(BUILD)/%.o,$(1))
LIBS := $(BUILD)/libsignaling.a $(BUILD)/libbench.a $(BUILD)/libsfu.a $(BUILD)/librtp.a
UNIT := $(patsubst %.c,$(BUILD)/%,$(UNIT_SRC))
SIM := $(patsubst %.c,$(BUILD)/%,$(SIM_SRC))
REPLAY := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/replay/%,$(FUZZ_SRC))
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(FUZZ_SRC))

.DEFAULT_GOAL := all
.PHONY: all run test unit sim sim-plots e2e bench fuzz fuzzers asan tsan lint format install clean help \
	setup-run setup-test setup-lint setup-bench test-binaries print-flags
.SECONDARY:
.DELETE_ON_ERROR:

## all: build the server, build/weir, and the crowd that measures it, build/weir-bench
all: $(BUILD)/weir $(BUILD)/weir-bench

## run: install what is missing, build, and serve a group call at http://localhost:8080
run: setup-run
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@exec $(BUILD)/weir $(ARGS)

## test: install what is missing, build, and pass every test
test: setup-test
	@$(MAKE) --no-print-directory -j$$(nproc) all test-binaries
	@tests/run $(BUILD) unit sim replay cost e2e

## unit: the unit tests alone
unit: setup-test
	@$(MAKE) --no-print-directory -j$$(nproc) test-binaries
	@tests/run $(BUILD) unit

## sim: rooms in virtual time alone; SEEDS=1000 repeats every scenario with so many seeds
sim: setup-test
	@$(MAKE) --no-print-directory -j$$(nproc) test-binaries
	@$(if $(SEEDS),tests/sim/seeds $(BUILD) $(SEEDS),tests/run $(BUILD) sim)

## sim-plots: draw every scenario: rates, queue and layer over time, as CSV and SVG in build/sim-plots
sim-plots: setup-test
	@$(MAKE) --no-print-directory -j$$(nproc) test-binaries
	@WEIR_PLOTS=$(BUILD)/sim-plots tests/sim/seeds $(BUILD) 1
	@ls $(BUILD)/sim-plots

## e2e: real browsers and clients against the real binary alone
e2e: setup-test
	@$(MAKE) --no-print-directory -j$$(nproc) all test-binaries
	@tests/run $(BUILD) e2e

## bench: measure against Janus and the floor, write bench/RESULTS.md; BENCH=quick rehearses, RESUME=1 goes on after a break
bench: setup-bench
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@bench/run $(BUILD)

## asan: every test under AddressSanitizer and UndefinedBehaviorSanitizer
asan: setup-test
	@$(MAKE) --no-print-directory -j$$(nproc) BUILD=build/asan SANITIZE=address,undefined OPTIMIZE='-O1 -g' \
		all test-binaries
	@tests/run build/asan unit sim replay e2e

## tsan: every test under ThreadSanitizer, with two workers
tsan: setup-test
	@$(MAKE) --no-print-directory -j$$(nproc) BUILD=build/tsan SANITIZE=thread OPTIMIZE='-O1 -g' all test-binaries
	@WEIR_WORKERS=2 tests/run build/tsan unit sim e2e

## fuzz: each parser and the engine, FUZZ_SECONDS (30) each, from the committed corpus
fuzz: setup-lint
	@$(MAKE) --no-print-directory -j$$(nproc) BUILD=build/fuzz CC=clang SANITIZE=address,undefined,fuzzer-no-link \
		OPTIMIZE='-O1 -g' fuzzers
	@tests/fuzz/run build/fuzz

## lint: warnings as errors under gcc and clang, clang-format, clang-tidy, the dependency rule, types of the client
lint: setup-lint setup-test
	@tests/lint

## format: clang-format on every C file
format: setup-lint
	clang-format -i $$(git ls-files '*.c' '*.h')

## install: weir and weir-bench below $(DESTDIR)$(PREFIX)
install: all
	install -D -m 755 $(BUILD)/weir $(DESTDIR)$(PREFIX)/bin/weir
	install -D -m 755 $(BUILD)/weir-bench $(DESTDIR)$(PREFIX)/bin/weir-bench
	install -D -m 644 deploy/weir.service $(DESTDIR)$(PREFIX)/lib/systemd/system/weir.service
	install -D -m 644 deploy/weir.conf $(DESTDIR)$(PREFIX)/share/weir/weir.conf

## clean: remove what was built
clean:
	rm -rf build

## help: this list
help:
	@sed -n 's/^## \([a-z0-9-]*\): \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'

setup-run setup-test setup-lint setup-bench: setup-%:
	@deploy/setup $*

test-binaries: $(UNIT) $(SIM) $(REPLAY) $(patsubst %,$(BUILD)/tests/e2e/%,$(patsubst tests/e2e/%.c,%,$(wildcard tests/e2e/*.c)))
fuzzers: $(FUZZERS)

# One flag a line, for tools that compile without us.
print-flags:
	@printf '%s\n' $(CFLAGS_ALL) $(E2E_CFLAGS)

$(BUILD)/weir: $(BUILD)/signaling/main.o $(LIBS)
	@echo "  link   $@"
	@$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$(BUILD)/weir-bench: $(BUILD)/bench/main.o $(BUILD)/libbench.a $(BUILD)/libsfu.a $(BUILD)/librtp.a
	@echo "  link   $@"
	@$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$(BUILD)/librtp.a: $(call objects,$(RTP_SRC))
$(BUILD)/libsfu.a: $(call objects,$(SFU_SRC))
$(BUILD)/libsignaling.a: $(call objects,$(SIG_SRC)) $(BUILD)/web_assets.o
$(BUILD)/libbench.a: $(call objects,$(BENCH_SRC))
$(BUILD)/%.a:
	@rm -f $@ && ar rcs $@ $^

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  cc     $<"
	@$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# The pages travel inside the binary: no file is needed at run time.
$(BUILD)/web_assets.S: $(WEB_FILES) signaling/embed Makefile
	@mkdir -p $(@D)
	@signaling/embed $(WEB_FILES) > $@
$(BUILD)/web_assets.o: $(BUILD)/web_assets.S
	@$(CC) -c -o $@ $<

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/tests/unit/test.o $(LIBS)
	@echo "  link   $@"
	@$(CC) $(LDFLAGS_ALL) -o $@ $^ $(TEST_LIBS)
$(BUILD)/tests/sim/%: $(BUILD)/tests/sim/%.o $(call objects,$(WORLD_SRC)) $(BUILD)/tests/unit/test.o $(LIBS)
	@echo "  link   $@"
	@$(CC) $(LDFLAGS_ALL) -o $@ $^ $(TEST_LIBS)
$(BUILD)/tests/replay/%: $(BUILD)/tests/fuzz/%.o $(BUILD)/tests/fuzz/replay.o $(call objects,$(WORLD_SRC)) $(LIBS)
	@mkdir -p $(@D)
	@echo "  link   $@"
	@$(CC) $(LDFLAGS_ALL) -o $@ $^ $(TEST_LIBS)
$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(call objects,$(WORLD_SRC)) $(LIBS)
	@echo "  link   $@"
	@$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS)
$(BUILD)/tests/e2e/%: tests/e2e/%.c
	@mkdir -p $(@D)
	@echo "  cc     $<"
	@$(CC) $(CFLAGS_ALL) $(E2E_CFLAGS) -o $@ $< $(LDFLAGS_ALL) \
		$$(pkg-config --libs $(E2E_PACKAGES)) $(TEST_LIBS)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
