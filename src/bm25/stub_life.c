/* stub_life.c: to be replaced; functions that are not written yet. */
#include "postgres.h"

extern void vs_bm25_view_open(void);
extern void vs_bm25_view_is_stale(void);
extern void vs_bm25_view_close(void);
extern void vs_bm25_lexeme_hash(void);
extern void vs_bm25_buffer_copy(void);
extern void vs_bm25_buffer_record(void);
extern void vs_bm25_record_next_term(void);
extern void vs_bm25_record_find(void);
extern void vs_bm25_form_record(void);
extern void vs_bm25_lock_meta(void);
extern void vs_bm25_read_meta(void);
extern void vs_bm25_init_meta(void);
extern void vs_bm25_page_is_free(void);
extern void vs_bm25_read_owners(void);
extern void vs_bm25_insert(void);
extern void vs_bm25_bulkdelete(void);
extern void vs_bm25_vacuumcleanup(void);
extern void vs_bm25_check(void);
extern void vs_bm25_digest_value(void);
extern void vs_bm25_stats(void);

void
vs_bm25_view_open(void)
{
	elog(ERROR, "vs_bm25_view_open is not written yet");
}

void
vs_bm25_view_is_stale(void)
{
	elog(ERROR, "vs_bm25_view_is_stale is not written yet");
}

void
vs_bm25_view_close(void)
{
	elog(ERROR, "vs_bm25_view_close is not written yet");
}

void
vs_bm25_lexeme_hash(void)
{
	elog(ERROR, "vs_bm25_lexeme_hash is not written yet");
}

void
vs_bm25_buffer_copy(void)
{
	elog(ERROR, "vs_bm25_buffer_copy is not written yet");
}

void
vs_bm25_buffer_record(void)
{
	elog(ERROR, "vs_bm25_buffer_record is not written yet");
}

void
vs_bm25_record_next_term(void)
{
	elog(ERROR, "vs_bm25_record_next_term is not written yet");
}

void
vs_bm25_record_find(void)
{
	elog(ERROR, "vs_bm25_record_find is not written yet");
}

void
vs_bm25_form_record(void)
{
	elog(ERROR, "vs_bm25_form_record is not written yet");
}

void
vs_bm25_lock_meta(void)
{
	elog(ERROR, "vs_bm25_lock_meta is not written yet");
}

void
vs_bm25_read_meta(void)
{
	elog(ERROR, "vs_bm25_read_meta is not written yet");
}

void
vs_bm25_init_meta(void)
{
	elog(ERROR, "vs_bm25_init_meta is not written yet");
}

void
vs_bm25_insert(void)
{
	elog(ERROR, "vs_bm25_insert is not written yet");
}

void
vs_bm25_bulkdelete(void)
{
	elog(ERROR, "vs_bm25_bulkdelete is not written yet");
}

void
vs_bm25_vacuumcleanup(void)
{
	elog(ERROR, "vs_bm25_vacuumcleanup is not written yet");
}

void
vs_bm25_check(void)
{
	elog(ERROR, "vs_bm25_check is not written yet");
}

void
vs_bm25_digest_value(void)
{
	elog(ERROR, "vs_bm25_digest_value is not written yet");
}

void
vs_bm25_stats(void)
{
	elog(ERROR, "vs_bm25_stats is not written yet");
}

void
vs_bm25_read_owners(void)
{
	elog(ERROR, "vs_bm25_read_owners is not written yet");
}

void
vs_bm25_page_is_free(void)
{
	elog(ERROR, "vs_bm25_page_is_free is not written yet");
}
