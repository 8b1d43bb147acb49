/*
 * session.h
 *		A session with the server: statements, and vectors in binary.
 */
#ifndef VS_BENCH_SESSION_H
#define VS_BENCH_SESSION_H

#include "vectors.h"

#include <libpq-fe.h>

/* A vector as the type's receive function wants it. */
typedef struct VsWireVector
{
	char	   *bytes;
	int			nbytes;
} VsWireVector;

typedef struct VsSession
{
	PGconn	   *conn;
	Oid			vector_type;	/* 0 where the database has no such type */
} VsSession;

extern VsSession vs_bench_open_session(const char *database);
extern void vs_bench_close_session(VsSession *session);
extern int	vs_bench_is_local(const VsSession *session);
extern double vs_bench_backend_cpu_ms(const VsSession *session);
extern void vs_bench_execute(VsSession *session, const char *format,...)
			__attribute__((format(printf, 2, 3)));
extern void vs_bench_apply_setting(VsSession *session, const char *setting);
extern char *vs_bench_fetch_text(VsSession *session, const char *format,...)
			__attribute__((format(printf, 2, 3)));
extern double vs_bench_fetch_number(VsSession *session,
									const char *format,...)
			__attribute__((format(printf, 2, 3)));
extern void vs_bench_check_result(VsSession *session, PGresult *result,
								  ExecStatusType wanted);

extern VsWireVector vs_bench_encode_vector(int dim, const float *vector);
extern VsWireVector *vs_bench_encode_vectors(const VsVectors *vectors);
extern void vs_bench_put_int(char *to, int nbytes, uint32_t value);
extern int32_t vs_bench_get_int(const char *from);

extern void vs_bench_begin_copy(VsSession *session, const char *sql);
extern void vs_bench_put_copy_data(VsSession *session, const char *data,
								   int nbytes);
extern void vs_bench_end_copy(VsSession *session);
extern void vs_bench_copy_rows(VsSession *session, const VsVectors *vectors,
							   const int32_t *ids);

#endif							/* VS_BENCH_SESSION_H */
