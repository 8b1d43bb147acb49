# Flags of the postings' codec; included from the top-level Makefile.
#
# Loops over a block's postings: compilers should take vectors of them.

BM25_POSTING_OBJS = src/bm25/bm25_packing.o src/bm25/bm25_posting.o

$(BM25_POSTING_OBJS): override CFLAGS += -O3
