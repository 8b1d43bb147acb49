# bench targets: the driver is a client program, built apart from the module.
#
#   make bench                           build the driver, measure a recipe
#   make bench BENCH_ARGS="..."          ... with options of your own

BENCH_OBJS = $(patsubst bench/%.c,build/bench/%.o,$(sort $(wildcard bench/*.c)))
BENCH_CFLAGS = -std=gnu99 -O3 -march=native -g -pthread -Wall -Wextra \
	-Wno-unused-parameter -Wno-sign-compare -Wshadow -Wstrict-prototypes \
	-Wold-style-definition -Wno-missing-field-initializers \
	-Wdeclaration-after-statement $(WERROR)
BENCH_ARGS ?= --extension vsearch --recipe bench/recipes/generated-small.recipe

build/bench/%.o: bench/%.c
	@mkdir -p build/bench
	$(CC) $(BENCH_CFLAGS) -D_GNU_SOURCE -MMD -MP \
		-I$(shell $(PG_CONFIG) --includedir) -c -o $@ $<

build/bench/vsbench: $(BENCH_OBJS)
	$(CC) -pthread -o $@ $^ -L$(shell $(PG_CONFIG) --libdir) -lpq -lz -lm

-include $(BENCH_OBJS:.o=.d)

.PHONY: bench bench-driver
bench-driver: build/bench/vsbench

bench: bench-driver
	build/bench/vsbench $(BENCH_ARGS)
