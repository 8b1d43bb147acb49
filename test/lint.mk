# Layout and checks of the sources; included from the top-level Makefile.
#
#   make format            lay out the C sources
#   make lint              all checks
#   make lint LINT=layers  one of them, test/lint/check_layers

LINT =

.PHONY: format lint

format:
	@test/prepare build $(default_server) format
	@PG_CONFIG='$(PG_CONFIG)' test/lint/format

lint:
	@test/prepare build $(default_server) lint format $(cross)
	@PG_CONFIG='$(PG_CONFIG)' test/lint/run $(LINT)
