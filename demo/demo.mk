# The demonstration; included from the top-level Makefile, also where PG_CONFIG
# does not name a server yet.

LSA = build/demo/lsa
LSA_SOURCES = $(wildcard demo/lsa/*.c)
LSA_CFLAGS = -std=gnu99 -O3 -Wall -Wextra -Wshadow -Wstrict-prototypes \
	-Wold-style-definition -Wmissing-prototypes $(WERROR)

.PHONY: demo demo-stop

demo:
	@test/prepare build $(default_server) demo
	@PG_CONFIG='$(PG_CONFIG)' demo/start

demo-stop:
	@PG_CONFIG='$(PG_CONFIG)' demo/stop

# A program by itself: none of the extension's flags.
$(LSA): $(LSA_SOURCES) $(wildcard demo/lsa/*.h)
	@mkdir -p $(@D)
	$(CC) $(LSA_CFLAGS) -o $@ $(LSA_SOURCES) -lopenblas -lm
