# Tests, in throwaway clusters on a copy of the server; included from the
# top-level Makefile, also where PG_CONFIG does not name a server yet.
#
#   make test                        everything
#   make test TESTS="unit regress"   only these of unit, cross, regress, isolation,
#                                    tap
#   make test TESTS=regress/vector   one test
#   make test PG_CONFIG=...          with another server

TESTS = unit cross regress isolation tap

# A server that was asked for by name is not for us to install.
default_server = $(if $(filter file,$(origin PG_CONFIG)),server)

# Only on x86-64 another processor's code is compiled.
cross = $(if $(filter x86_64,$(shell uname -m)),cross)

.PHONY: test

test:
	@test/prepare build $(default_server) test $(filter $(cross),$(TESTS))
	@PG_CONFIG='$(PG_CONFIG)' test/run $(TESTS)

include $(wildcard test/unit/unit.mk)
