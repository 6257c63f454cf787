# Builds the fuzzers with clang's libFuzzer and sanitizers, apart from the project's own
# build. tests/fuzz/run calls it in the top directory:
#
#     make -f tests/fuzz/build.mk [BUILD=build-fuzz]

BUILD = build-fuzz
CC = clang-14
SANITIZERS = address,undefined
PACKAGES = json-c sqlite3 libsodium inih libmaxminddb
CFLAGS := -std=c17 -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all \
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror \
	-Wno-unused-command-line-argument
CPPFLAGS := -D_GNU_SOURCE -DARENA_MALLOC -I. -I$(BUILD) $(shell pkg-config --cflags $(PACKAGES))
LIBS := -lfcgi $(shell pkg-config --libs $(PACKAGES))

FUZZERS = json address config record letter request
ROOMS = api serve rules commit store process
SOURCES = $(filter-out app/main.c app/process/attacks.c,$(wildcard lib/*.c app/*.c $(ROOMS:%=app/%/*.c)))
OBJECTS = $(SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/migrations/embedded.o $(BUILD)/tests/fuzz/site.o
LIBRARY = $(BUILD)/libservice.a

all: $(FUZZERS:%=$(BUILD)/fuzz_%) $(BUILD)/judge

$(BUILD)/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(LIBRARY)
	$(CC) -fsanitize=fuzzer,$(SANITIZERS) -o $@ $^ $(LIBS)

$(BUILD)/judge: $(BUILD)/tests/fuzz/judge.o $(LIBRARY)
	$(CC) -fsanitize=$(SANITIZERS) -o $@ $^ $(LIBS)

$(LIBRARY): $(OBJECTS)
	rm -f $@
	ar rcs $@ $(OBJECTS)

$(BUILD)/%.o: %.c $(BUILD)/autoconfig.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(CPPFLAGS) -fsanitize=fuzzer-no-link,$(SANITIZERS) -MMD -c -o $@ $<

$(BUILD)/migrations/embedded.o: $(BUILD)/migrations/embedded.c
	$(CC) $(CFLAGS) $(CPPFLAGS) -MMD -c -o $@ $<

$(BUILD)/migrations/embedded.c: migrations/embed $(wildcard migrations/*.sql)
	@mkdir -p $(@D)
	sh migrations/embed $(sort $(wildcard migrations/*.sql)) >$@

# What configure would find out.
$(BUILD)/autoconfig.h: tests/fuzz/build.mk
	@mkdir -p $(@D)
	printf '#define %s\n' 'HAVE_MAXMINDDB 1' 'PACKAGE_VERSION "fuzz"' \
		'PACKAGE_STRING "crmnotes fuzz"' >$@

.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
