/*
 * phase_connect.c
 *		What the first query of a new connection costs.
 *
 * A backend that has just started knows nothing: it reads the catalogs, loads
 * the extension's library and opens the index.  A primary key lookup in
 * another new connection shows how much of that any query pays.  Neither is
 * prepared, and no setting is made before: SET would do part of the work.
 */
#include "phases.h"

#include "driver.h"

#include <stdlib.h>
#include <unistd.h>

#define INT4_TYPE 23
#define IDLE_US 1000			/* until a backend that answered sleeps */

/* A statement with one binary parameter. */
typedef struct Statement
{
	const char *sql;
	Oid			type;
	const char *value;
	int			length;
} Statement;

/* Run a statement; returns its milliseconds. */
static double
time_statement(VsSession *session, const Statement *statement)
{
	int			formats[] = {1};
	PGresult   *result;
	double		start = vs_bench_now_s();
	double		end;

	result = PQexecParams(session->conn, statement->sql, 1, &statement->type,
						  &statement->value, &statement->length, formats, 1);
	end = vs_bench_now_s();
	vs_bench_check_result(session, result, PGRES_TUPLES_OK);
	PQclear(result);
	return (end - start) * 1000;
}

/* A connection that has run nothing, not even a lookup of the type. */
static VsSession
open_fresh(const char *database)
{
	const char *keywords[] = {"dbname", NULL};
	const char *values[] = {database, NULL};
	VsSession	session = {PQconnectdbParams(keywords, values, 0)};

	if (PQstatus(session.conn) != CONNECTION_OK)
		vs_bench_fail("%s", PQerrorMessage(session.conn));
	return session;
}

/*
 * Run a statement twice in a new connection and record its times as the
 * figures of the first, the processor of the first and the second.
 */
static void
time_in_new_connection(VsRun *run, VsTurn turn, const Statement *statement,
					   VsFigure first, VsFigure first_cpu, VsFigure second)
{
	char	   *database = vs_bench_database(run->options, turn.variant);
	VsSession	session = open_fresh(database);
	double		cpu_ms;

	usleep(IDLE_US);
	cpu_ms = vs_bench_backend_cpu_ms(&session);
	vs_bench_record_figure(run, turn, first,
						   time_statement(&session, statement));
	usleep(IDLE_US);
	vs_bench_record_cpu(run, turn, &session, first_cpu, cpu_ms, 1);
	vs_bench_record_figure(run, turn, second,
						   time_statement(&session, statement));
	vs_bench_close_session(&session);
	free(database);
}

/* One new connection for a vector query, one for a btree query. */
void
vs_bench_connect(VsRun *run, VsTurn turn)
{
	char	   *sql = vs_bench_search_sql(run);
	const VsWireVector *query =
		&run->queries[turn.repeat % run->data.queries.n];
	char		id[4];
	Statement	search = {
		sql, run->session[turn.variant].vector_type, query->bytes,
		query->nbytes
	};
	Statement	lookup = {
		"SELECT id FROM items WHERE id = $1", INT4_TYPE, id, sizeof(id)
	};

	vs_bench_put_int(id, 4, turn.repeat % run->data.base.n);
	time_in_new_connection(run, turn, &search, VS_FIRST_VECTOR_MS,
						   VS_FIRST_VECTOR_CPU_MS, VS_SECOND_VECTOR_MS);
	time_in_new_connection(run, turn, &lookup, VS_FIRST_BTREE_MS,
						   VS_FIRST_BTREE_CPU_MS, VS_SECOND_BTREE_MS);
	free(sql);
}
