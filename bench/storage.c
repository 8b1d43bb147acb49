/*
 * storage.c
 *		What the server has written and holds: WAL, relations.
 */
#include "storage.h"

#include "driver.h"

#include <stdlib.h>

/* Where the WAL ends now. */
char *
vs_bench_wal_position(VsSession *session)
{
	return vs_bench_fetch_text(session, "SELECT pg_current_wal_insert_lsn()");
}

/* Bytes of WAL written since; the server is taken to do nothing else. */
double
vs_bench_wal_since(VsSession *session, const char *position)
{
	return vs_bench_fetch_number(session, "SELECT pg_wal_lsn_diff("
								 "pg_current_wal_insert_lsn(), '%s')",
								 position);
}

/* Size of a relation, all forks. */
double
vs_bench_relation_mb(VsSession *session, const char *relation)
{
	return vs_bench_fetch_number(session, "SELECT pg_total_relation_size("
								 "'%s') / 1048576.0", relation);
}

/*
 * Read a table, its TOAST table and all their indexes into shared buffers, by
 * the extension pg_prewarm; returns their size as a share of shared_buffers.
 */
double
vs_bench_prewarm(VsSession *session, const char *table)
{
	char	   *relations =
		vs_bench_format("WITH heap AS (SELECT unnest(ARRAY[oid, "
						"reltoastrelid]) AS oid "
						"FROM pg_class WHERE oid = '%s'::regclass), "
						"relations AS (SELECT oid FROM heap WHERE oid <> 0 "
						"UNION ALL SELECT indexrelid FROM pg_index "
						"WHERE indrelid IN (SELECT oid FROM heap))", table);
	double		share;

	vs_bench_execute(session, "SET client_min_messages = warning");
	vs_bench_execute(session, "CREATE EXTENSION IF NOT EXISTS pg_prewarm");
	vs_bench_execute(session, "RESET client_min_messages");
	vs_bench_execute(session, "%s SELECT sum(pg_prewarm(oid)) FROM relations",
					 relations);
	share = vs_bench_fetch_number(session,
								  "%s SELECT sum(pg_relation_size(oid)) / "
								  "(pg_size_bytes(current_setting("
								  "'shared_buffers'))) FROM relations",
								  relations);
	free(relations);
	return share;
}
