/*
 * session.c
 *		A session with the server: statements, and vectors in binary.
 *
 * Any error that the server reports ends the run.
 */
#include "session.h"

#include "driver.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COPY_CHUNK (256 * 1024)

/* Fail unless the result is what was wanted. */
void
vs_bench_check_result(VsSession *session, PGresult *result,
					  ExecStatusType wanted)
{
	if (PQresultStatus(result) != wanted)
		vs_bench_fail("%s: %s", PQdb(session->conn),
					  PQerrorMessage(session->conn));
}

/*
 * Connect to a database of the server that PGHOST and the like name; look up
 * the type, so that parameters need no cast.
 */
VsSession
vs_bench_open_session(const char *database)
{
	const char *keywords[] = {"dbname", "fallback_application_name", NULL};
	const char *values[] = {database, "vsbench", NULL};
	VsSession	session;
	char	   *type;

	session.conn = PQconnectdbParams(keywords, values, 0);
	if (PQstatus(session.conn) != CONNECTION_OK)
		vs_bench_fail("%s", PQerrorMessage(session.conn));
	type = vs_bench_fetch_text(&session,
							   "SELECT coalesce(to_regtype('vector')::oid, 0)");
	session.vector_type = strtoul(type, NULL, 10);
	free(type);
	return session;
}

/* End the session. */
void
vs_bench_close_session(VsSession *session)
{
	PQfinish(session->conn);
	session->conn = NULL;
}

/*
 * Is the server on this machine, so that /proc shows its processes?
 */
int
vs_bench_is_local(const VsSession *session)
{
	const char *host = PQhost(session->conn);

	return host[0] == '/' || strcmp(host, "localhost") == 0;
}

/*
 * Milliseconds of processor time that the backend has had; -1 where this
 * machine does not know.  Other processes lengthen it less than they lengthen
 * latencies.  While the backend runs, the kernel's number lags behind.
 */
double
vs_bench_backend_cpu_ms(const VsSession *session)
{
	char		path[64];
	double		ns = -1;
	FILE	   *file;

	if (!vs_bench_is_local(session))
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/schedstat",
			 PQbackendPID(session->conn));
	file = fopen(path, "r");
	if (file == NULL)
		return -1;
	if (fscanf(file, "%lf", &ns) != 1)
		ns = -1;
	fclose(file);
	return ns < 0 ? -1 : ns / 1e6;
}

/* Run a statement, made by printf's rules. */
void
vs_bench_execute(VsSession *session, const char *format,...)
{
	va_list		args;
	char	   *sql;
	PGresult   *result;
	ExecStatusType status;

	va_start(args, format);
	if (vasprintf(&sql, format, args) < 0)
		vs_bench_fail("out of memory");
	va_end(args);
	result = PQexec(session->conn, sql);
	status = PQresultStatus(result);
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		vs_bench_fail("%s%s", PQerrorMessage(session->conn), sql);
	PQclear(result);
	free(sql);
}

/* Apply "name=value" to the session. */
void
vs_bench_apply_setting(VsSession *session, const char *setting)
{
	const char *equals = strchr(setting, '=');

	vs_bench_execute(session, "SET %.*s = '%s'", (int) (equals - setting),
					 setting, equals + 1);
}

/* Run a query that gives one value; NULL becomes an empty text. */
static char *
fetch_value(VsSession *session, const char *format, va_list args)
{
	char	   *sql;
	char	   *value;
	PGresult   *result;

	if (vasprintf(&sql, format, args) < 0)
		vs_bench_fail("out of memory");
	result = PQexec(session->conn, sql);
	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
		vs_bench_fail("%s%s", PQerrorMessage(session->conn), sql);
	value = vs_bench_format("%s", PQgetvalue(result, 0, 0));
	PQclear(result);
	free(sql);
	return value;
}

/* The one value of a query, as text that the caller may free. */
char *
vs_bench_fetch_text(VsSession *session, const char *format,...)
{
	va_list		args;
	char	   *value;

	va_start(args, format);
	value = fetch_value(session, format, args);
	va_end(args);
	return value;
}

/* The one value of a query, as a number. */
double
vs_bench_fetch_number(VsSession *session, const char *format,...)
{
	va_list		args;
	char	   *value;
	double		number;

	va_start(args, format);
	value = fetch_value(session, format, args);
	va_end(args);
	number = strtod(value, NULL);
	free(value);
	return number;
}

/* Store the low nbytes of the value in network order. */
void
vs_bench_put_int(char *to, int nbytes, uint32_t value)
{
	for (int i = 0; i < nbytes; i++)
		to[i] = value >> (8 * (nbytes - 1 - i));
}

/* Four bytes in network order. */
int32_t
vs_bench_get_int(const char *from)
{
	uint32_t	value;

	memcpy(&value, from, sizeof(value));
	return __builtin_bswap32(value);
}

/* Write a vector as the type's receive function wants it. */
static void
put_vector(char *to, int dim, const float *vector)
{
	vs_bench_put_int(to, 2, dim);
	vs_bench_put_int(to + 2, 2, 0);
	for (int i = 0; i < dim; i++)
	{
		uint32_t	bits;

		memcpy(&bits, &vector[i], sizeof(bits));
		bits = __builtin_bswap32(bits);
		memcpy(to + 4 + 4 * i, &bits, sizeof(bits));
	}
}

/* A vector for a binary parameter. */
VsWireVector
vs_bench_encode_vector(int dim, const float *vector)
{
	VsWireVector wire = {vs_bench_alloc(4 + 4 * dim), 4 + 4 * dim};

	put_vector(wire.bytes, dim, vector);
	return wire;
}

/* All vectors of an array, so that no run spends time on it. */
VsWireVector *
vs_bench_encode_vectors(const VsVectors *vectors)
{
	VsWireVector *wires = vs_bench_alloc(sizeof(VsWireVector) * vectors->n);

	for (long i = 0; i < vectors->n; i++)
		wires[i] = vs_bench_encode_vector(vectors->dim,
										  vs_bench_row(vectors, i));
	return wires;
}

/* Start a COPY to the server. */
void
vs_bench_begin_copy(VsSession *session, const char *sql)
{
	PGresult   *result = PQexec(session->conn, sql);

	vs_bench_check_result(session, result, PGRES_COPY_IN);
	PQclear(result);
}

/* Send a piece of its data. */
void
vs_bench_put_copy_data(VsSession *session, const char *data, int nbytes)
{
	if (PQputCopyData(session->conn, data, nbytes) != 1)
		vs_bench_fail("COPY: %s", PQerrorMessage(session->conn));
}

/* End it. */
void
vs_bench_end_copy(VsSession *session)
{
	PGresult   *result;

	if (PQputCopyEnd(session->conn, NULL) != 1)
		vs_bench_fail("COPY: %s", PQerrorMessage(session->conn));
	result = PQgetResult(session->conn);
	vs_bench_check_result(session, result, PGRES_COMMAND_OK);
	PQclear(result);
	while ((result = PQgetResult(session->conn)) != NULL)
		PQclear(result);
}

/*
 * COPY all rows into items (id, embedding) in binary; row i of the copy is the
 * vector numbered ids[i].
 */
void
vs_bench_copy_rows(VsSession *session, const VsVectors *vectors,
				   const int32_t *ids)
{
	static const char header[19] = "PGCOPY\n\377\r\n";
	int			row_size = 2 + 4 + 4 + 4 + 4 + 4 * vectors->dim;
	char	   *chunk = vs_bench_alloc(COPY_CHUNK + row_size);
	int			fill = 0;

	vs_bench_begin_copy(session, "COPY items (id, embedding) FROM STDIN "
						"(FORMAT binary)");
	vs_bench_put_copy_data(session, header, sizeof(header));
	for (long i = 0; i < vectors->n; i++)
	{
		char	   *row = chunk + fill;

		vs_bench_put_int(row, 2, 2);
		vs_bench_put_int(row + 2, 4, 4);
		vs_bench_put_int(row + 6, 4, ids[i]);
		vs_bench_put_int(row + 10, 4, 4 + 4 * vectors->dim);
		put_vector(row + 14, vectors->dim, vs_bench_row(vectors, ids[i]));
		fill += row_size;
		if (fill >= COPY_CHUNK)
		{
			vs_bench_put_copy_data(session, chunk, fill);
			fill = 0;
		}
	}
	vs_bench_put_int(chunk + fill, 2, -1);
	vs_bench_put_copy_data(session, chunk, fill + 2);
	free(chunk);
	vs_bench_end_copy(session);
}
