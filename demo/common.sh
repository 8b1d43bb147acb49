# Where the demonstration's server is and how to talk to it; read by the
# scripts of this directory.
# shellcheck shell=bash

set -u -o pipefail
checkout=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
cd "$checkout" || exit 1

pg_config=${PG_CONFIG:-pg_config}

# demo/run holds the server, or leads to the directory that does.
run=$checkout/demo/run
[ ! -e "$run" ] || run=$(readlink -f "$run")

# Run a command as the user of the server, who is not root and need not be able
# to read the directory that we are in.
as_server()
{
	(
		cd / || exit
		[ "$(id -u)" = 0 ] || exec "$@"
		exec runuser -u postgres -- "$@"
	)
}

fail()
{
	printf '%s\n' "" "$@" >&2
	exit 1
}

# Whether the demonstration's server runs.
is_running()
{
	[ -f "$run/data/postmaster.pid" ] &&
		as_server "$bindir/pg_ctl" -D "$run/data" status >/dev/null
}

# Stop the server and forget all about it.
remove_server()
{
	if is_running; then
		as_server "$bindir/pg_ctl" -D "$run/data" -m fast -s stop ||
			fail "The server in $run does not stop; see $run/log."
	fi
	rm -rf "$run" "$checkout/demo/run"
}

bindir=$("$pg_config" --bindir 2>/dev/null) ||
	fail "There is no PostgreSQL here: \"$pg_config\" does not run." \
		"Name one: make demo PG_CONFIG=/path/to/pg_config"
