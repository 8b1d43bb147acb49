# Tests in plain C that need no server.
#
#   make check-unit           run them
#   make check-unit-aarch64   compile them for AArch64 and run them in an emulator
#   make bench-kernel         time kernels and the codec

UNIT_DIR = build/unit
UNIT_TESTS = $(UNIT_DIR)/test_kernel $(UNIT_DIR)/test_packed $(UNIT_DIR)/test_quant \
	$(UNIT_DIR)/test_encoding $(UNIT_DIR)/test_residual $(UNIT_DIR)/test_graph \
	$(UNIT_DIR)/test_training $(UNIT_DIR)/test_posting $(UNIT_DIR)/test_runcode
UNIT_BENCHES = $(UNIT_DIR)/bench_kernel $(UNIT_DIR)/bench_quant

GRAPH_OBJS = src/hnsw/hnsw_graph.o src/hnsw/hnsw_page.o src/index/candidate.o

# What else a test is linked with.
$(UNIT_DIR)/test_quant $(UNIT_DIR)/test_encoding $(UNIT_DIR)/test_residual $(UNIT_DIR)/bench_quant: \
	UNIT_OBJS = $(QUANT_OBJS) test/unit/server_stubs.c
$(UNIT_DIR)/test_quant $(UNIT_DIR)/test_encoding $(UNIT_DIR)/test_residual $(UNIT_DIR)/bench_quant: \
	$(QUANT_OBJS) test/unit/server_stubs.c
$(UNIT_DIR)/test_graph: UNIT_OBJS = $(GRAPH_OBJS) test/unit/server_stubs.c
$(UNIT_DIR)/test_graph: $(GRAPH_OBJS) test/unit/server_stubs.c
$(UNIT_DIR)/test_training: UNIT_OBJS = $(CENTROID_OBJS) src/quant/outliers.o \
	test/unit/server_stubs.c
$(UNIT_DIR)/test_training: $(CENTROID_OBJS) src/quant/outliers.o \
	test/unit/server_stubs.c

$(UNIT_DIR)/test_posting: UNIT_OBJS = $(BM25_POSTING_OBJS) test/unit/server_stubs.c
$(UNIT_DIR)/test_posting: $(BM25_POSTING_OBJS) test/unit/server_stubs.c

$(UNIT_TESTS) $(UNIT_BENCHES): $(UNIT_DIR)/%: test/unit/%.c $(KERNEL_OBJS)
	@mkdir -p $(UNIT_DIR)
	$(CC) $(CFLAGS) $(CPPFLAGS) $(UNIT_LDFLAGS) -o $@ $< $(UNIT_OBJS) \
		$(KERNEL_OBJS) -lm

-include $(UNIT_TESTS:=.d) $(UNIT_BENCHES:=.d)

.PHONY: check-unit check-unit-aarch64 bench-kernel

# UNIT_RUNNER runs programs of another processor, UNIT_ARGS goes to the tests.
check-unit: $(UNIT_TESTS)
	prove --jobs "$$(nproc)" --exec '$(UNIT_RUNNER)' $(UNIT_TESTS) :: $(UNIT_ARGS)

# In a copy of the sources, with flags of our own: those of the server's build
# may be for its processor.  Its headers were configured for that one, too; from
# x86-64 to AArch64, both of 64 bits and little-endian, nothing differs in what
# these tests include.
AARCH64_DIR = build/aarch64
AARCH64_CC = aarch64-linux-gnu-gcc
AARCH64_CFLAGS = -g -O2 -Wall -fno-strict-aliasing -fwrapv
AARCH64_RUNNER = qemu-aarch64-static

check-unit-aarch64:
	rm -rf $(AARCH64_DIR)
	mkdir -p $(AARCH64_DIR)
	test/pack_sources | tar -C $(AARCH64_DIR) -x
	$(MAKE) -C $(AARCH64_DIR) CC=$(AARCH64_CC) CFLAGS='$(AARCH64_CFLAGS)' \
		WERROR=-Werror UNIT_LDFLAGS=-static UNIT_RUNNER=$(AARCH64_RUNNER) \
		UNIT_ARGS=quick check-unit

bench-kernel: $(UNIT_BENCHES)
	$(UNIT_RUNNER) $(UNIT_DIR)/bench_kernel
	$(UNIT_RUNNER) $(UNIT_DIR)/bench_quant
