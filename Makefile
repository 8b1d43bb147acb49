# vsearch: vector and hybrid search for PostgreSQL.
#
#   make                  build
#   make install          install into the server that PG_CONFIG names
#   make installcheck     pg_regress against a running server
#   make test             everything there is to test, in clusters of its own
#   make demo, demo-stop  a working search over PostgreSQL's manual
#   make format, lint     layout and checks of the sources

EXTENSION = vsearch
EXTVERSION = $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" vsearch.control)

MODULE_big = vsearch
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c)))

# The extension's DDL: a fragment per module, joined in dependency order.
SQL_FRAGMENTS = \
	src/sql/preamble.sql \
	src/sql/vector.sql \
	src/sql/hnsw.sql \
	src/sql/ivfflat.sql \
	src/sql/bm25.sql \
	src/sql/check.sql \
	src/sql/hybrid.sql

DATA_built = vsearch--$(EXTVERSION).sql
HEADERS_vsearch = src/types/vector.h

REGRESS = $(sort $(patsubst sql/%.sql,%,$(wildcard sql/*.sql)))
REGRESS_OPTS = --load-extension=vsearch

# The server's headers do not meet all the warnings that ours do.
PG_CPPFLAGS = -I$(srcdir)/src -isystem $(shell $(PG_CONFIG) --includedir-server)

# No fusing of a * b + c, which for AArch64 compilers do unasked: codes have the
# same bits on every machine.
PG_CFLAGS = -Wextra -Wno-unused-parameter -Wno-sign-compare -Wshadow \
	-Wstrict-prototypes -Wold-style-definition \
	-Wno-missing-field-initializers -ffp-contract=off -MMD -MP $(WERROR)

# Our own symbols are bound when linking: loading the library is part of a
# connection's first query.  The server's are all bound then, whatever we ask
# for, as the server loads with RTLD_NOW.
SHLIB_LINK = -Wl,-Bsymbolic

# Bitcode would only serve to inline functions that dispatch at run time.
override with_llvm = no

EXTRA_CLEAN = build $(DATA_built) $(OBJS:.o=.d)

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)

# Without the server's build files only the targets that install them work.
ifneq ($(wildcard $(PGXS)),)
include $(PGXS)
include src/kernel/kernel.mk
include src/quant/quant.mk
include src/index/index.mk
include src/bm25/bm25.mk
-include $(OBJS:.o=.d)
endif

vsearch--$(EXTVERSION).sql: $(SQL_FRAGMENTS) vsearch.control
	cat $(SQL_FRAGMENTS) > $@

include test/test.mk
include demo/demo.mk
include bench/bench.mk
include test/lint.mk
