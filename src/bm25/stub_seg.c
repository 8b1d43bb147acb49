/* stub_seg.c: to be replaced; functions that are not written yet. */
#include "postgres.h"

extern void vs_bm25_block_encode(void);
extern void vs_bm25_block_decode_docs(void);
extern void vs_bm25_block_decode_rest(void);
extern void vs_bm25_segment_open(void);
extern void vs_bm25_segment_close(void);
extern void vs_bm25_segment_find(void);
extern void vs_bm25_segment_read_skips(void);
extern void vs_bm25_segment_read_docs(void);
extern void vs_bm25_segment_read_rest(void);
extern void vs_bm25_walk_begin(void);
extern void vs_bm25_walk_next(void);
extern void vs_bm25_walk_end(void);
extern void vs_bm25_segment_read_tids(void);
extern void vs_bm25_segment_read_deletes(void);
extern void vs_bm25_segment_is_deleted(void);
extern void vs_bm25_segment_block(void);
extern void vs_bm25_writer_begin(void);
extern void vs_bm25_writer_add_row(void);
extern void vs_bm25_writer_begin_lexeme(void);
extern void vs_bm25_writer_add(void);
extern void vs_bm25_writer_end_lexeme(void);
extern void vs_bm25_writer_end(void);
extern void vs_bm25_segment_source(void);
extern void vs_bm25_merge(void);

void
vs_bm25_block_encode(void)
{
	elog(ERROR, "vs_bm25_block_encode is not written yet");
}

void
vs_bm25_block_decode_docs(void)
{
	elog(ERROR, "vs_bm25_block_decode_docs is not written yet");
}

void
vs_bm25_block_decode_rest(void)
{
	elog(ERROR, "vs_bm25_block_decode_rest is not written yet");
}

void
vs_bm25_segment_open(void)
{
	elog(ERROR, "vs_bm25_segment_open is not written yet");
}

void
vs_bm25_segment_close(void)
{
	elog(ERROR, "vs_bm25_segment_close is not written yet");
}

void
vs_bm25_segment_find(void)
{
	elog(ERROR, "vs_bm25_segment_find is not written yet");
}

void
vs_bm25_segment_read_skips(void)
{
	elog(ERROR, "vs_bm25_segment_read_skips is not written yet");
}

void
vs_bm25_segment_read_docs(void)
{
	elog(ERROR, "vs_bm25_segment_read_docs is not written yet");
}

void
vs_bm25_segment_read_rest(void)
{
	elog(ERROR, "vs_bm25_segment_read_rest is not written yet");
}

void
vs_bm25_walk_begin(void)
{
	elog(ERROR, "vs_bm25_walk_begin is not written yet");
}

void
vs_bm25_walk_next(void)
{
	elog(ERROR, "vs_bm25_walk_next is not written yet");
}

void
vs_bm25_walk_end(void)
{
	elog(ERROR, "vs_bm25_walk_end is not written yet");
}

void
vs_bm25_segment_read_tids(void)
{
	elog(ERROR, "vs_bm25_segment_read_tids is not written yet");
}

void
vs_bm25_segment_read_deletes(void)
{
	elog(ERROR, "vs_bm25_segment_read_deletes is not written yet");
}

void
vs_bm25_segment_is_deleted(void)
{
	elog(ERROR, "vs_bm25_segment_is_deleted is not written yet");
}

void
vs_bm25_segment_block(void)
{
	elog(ERROR, "vs_bm25_segment_block is not written yet");
}

void
vs_bm25_writer_begin(void)
{
	elog(ERROR, "vs_bm25_writer_begin is not written yet");
}

void
vs_bm25_writer_add_row(void)
{
	elog(ERROR, "vs_bm25_writer_add_row is not written yet");
}

void
vs_bm25_writer_begin_lexeme(void)
{
	elog(ERROR, "vs_bm25_writer_begin_lexeme is not written yet");
}

void
vs_bm25_writer_add(void)
{
	elog(ERROR, "vs_bm25_writer_add is not written yet");
}

void
vs_bm25_writer_end_lexeme(void)
{
	elog(ERROR, "vs_bm25_writer_end_lexeme is not written yet");
}

void
vs_bm25_writer_end(void)
{
	elog(ERROR, "vs_bm25_writer_end is not written yet");
}

void
vs_bm25_segment_source(void)
{
	elog(ERROR, "vs_bm25_segment_source is not written yet");
}

void
vs_bm25_merge(void)
{
	elog(ERROR, "vs_bm25_merge is not written yet");
}

