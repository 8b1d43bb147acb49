# Tests in plain C that need no server.
#
#   make check-unit     run them
#   make bench-kernel   time every function of every kernel

UNIT_DIR = build/unit
UNIT_TESTS = $(UNIT_DIR)/test_kernel $(UNIT_DIR)/test_quant \
	$(UNIT_DIR)/test_encoding $(UNIT_DIR)/test_graph
UNIT_BENCHES = $(UNIT_DIR)/bench_kernel

GRAPH_OBJS = src/hnsw/hnsw_graph.o src/hnsw/hnsw_page.o src/index/candidate.o

# What else a test is linked with.
$(UNIT_DIR)/test_quant $(UNIT_DIR)/test_encoding: \
	UNIT_OBJS = $(QUANT_OBJS) test/unit/server_stubs.c
$(UNIT_DIR)/test_quant $(UNIT_DIR)/test_encoding: \
	$(QUANT_OBJS) test/unit/server_stubs.c
$(UNIT_DIR)/test_graph: UNIT_OBJS = $(GRAPH_OBJS) test/unit/server_stubs.c
$(UNIT_DIR)/test_graph: $(GRAPH_OBJS) test/unit/server_stubs.c

$(UNIT_TESTS) $(UNIT_BENCHES): $(UNIT_DIR)/%: test/unit/%.c $(KERNEL_OBJS)
	@mkdir -p $(UNIT_DIR)
	$(CC) $(CFLAGS) $(CPPFLAGS) -o $@ $< $(UNIT_OBJS) $(KERNEL_OBJS) -lm

-include $(UNIT_TESTS:=.d) $(UNIT_BENCHES:=.d)

.PHONY: check-unit bench-kernel

check-unit: $(UNIT_TESTS)
	prove --exec '' $(UNIT_TESTS)

bench-kernel: $(UNIT_BENCHES)
	$(UNIT_DIR)/bench_kernel
