# bench targets: the drivers are client programs, built apart from the module.
#
#   make bench-driver                    build the drivers of vectors and text
#   make bench                           build them, measure a recipe of vectors
#   make bench BENCH_ARGS="..."          ... with options of your own

BENCH_OBJS = $(patsubst bench/%.c,build/bench/%.o,$(sort $(wildcard bench/*.c)))
TEXT_OBJS = $(patsubst bench/%.c,build/bench/%.o,$(sort $(wildcard bench/text/*.c)))
# What both drivers share: nothing that knows of vectors.
BENCH_COMMON_OBJS = $(addprefix build/bench/,arguments.o driver.o plan.o \
	report_common.o results.o samples.o session.o storage.o \
	table.o)
BENCH_CFLAGS = -std=gnu99 -O3 -march=native -g -pthread -Wall -Wextra \
	-Wno-unused-parameter -Wno-sign-compare -Wshadow -Wstrict-prototypes \
	-Wold-style-definition -Wno-missing-field-initializers \
	-Wdeclaration-after-statement $(WERROR)
BENCH_ARGS ?= --extension vsearch --recipe bench/recipes/generated-small.recipe

build/bench/%.o: bench/%.c
	@mkdir -p $(@D)
	$(CC) $(BENCH_CFLAGS) -D_GNU_SOURCE -MMD -MP \
		-I$(shell $(PG_CONFIG) --includedir) -c -o $@ $<

build/bench/vsbench: $(BENCH_OBJS)
	$(CC) -pthread -o $@ $^ -L$(shell $(PG_CONFIG) --libdir) -lpq -lz -lm

build/bench/vstext: $(TEXT_OBJS) $(BENCH_COMMON_OBJS)
	$(CC) -pthread -o $@ $^ -L$(shell $(PG_CONFIG) --libdir) -lpq -lm

-include $(BENCH_OBJS:.o=.d) $(TEXT_OBJS:.o=.d)

.PHONY: bench bench-driver
bench-driver: build/bench/vsbench build/bench/vstext

bench: bench-driver
	build/bench/vsbench $(BENCH_ARGS)
