/*
 * storage.h
 *		What the server has written and holds: WAL, relations.
 */
#ifndef VS_BENCH_STORAGE_H
#define VS_BENCH_STORAGE_H

#include "session.h"

extern char *vs_bench_wal_position(VsSession *session);
extern double vs_bench_wal_since(VsSession *session, const char *position);
extern double vs_bench_relation_mb(VsSession *session, const char *relation);
extern double vs_bench_prewarm(VsSession *session, const char *table);

#endif							/* VS_BENCH_STORAGE_H */
