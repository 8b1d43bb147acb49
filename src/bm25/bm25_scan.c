/*
 * bm25_scan.c
 *		Scans: rows that match, in order of score or in no order.
 *
 * A scan goes through stages.  One ordered by a query returns the documents it
 * ranks above 0, the best first; then the other documents, at distance 0; then
 * rows with a NULL.  If there are conditions, only documents that match them
 * come, and no NULLs.  A scan without order begins with the second stage, and
 * ends with it.  See README.md, "Scan".
 */
#include "postgres.h"

#include "access/relscan.h"
#include "access/xlog.h"
#include "bm25/bm25_private.h"
#include "bm25/bm25_search.h"
#include "bm25/bm25_stream.h"
#include "catalog/pg_type_d.h"
#include "index/scan.h"
#include "nodes/tidbitmap.h"
#include "port/pg_bitutils.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/*
 * Documents that are searched for at first: as many as the last scan of the index
 * has returned, as the next one often has the same LIMIT, and nobody tells; within
 * these.  Then K_GROWTH times as many.
 */
#define FIRST_K 32
#define LEAST_K 16
#define LARGEST_FIRST_K 1024
#define K_GROWTH 4

typedef enum ScanStage
{
	STAGE_RANKED,				/* documents with a score above 0 */
	STAGE_MATCHES,				/* other documents */
	STAGE_NULLS,
	STAGE_END
} ScanStage;

typedef struct VsBm25Scan
{
	IndexScanDesc scan;
	VsBm25Query *query;
	bool		has_filter;		/* only documents that match come */
	bool		has_distance;	/* rows have one; NULL otherwise */
	HTAB	   *returned;		/* TIDs, where the view may become stale */

	MemoryContext context;		/* of what follows */
	VsBm25View *view;
	VsBm25Search *search;
	ScanStage	stage;
	VsBm25Hits	hits;			/* k = 0: not searched yet */
	uint64		nhits;			/* returned of them */
	VsBm25Stream *stream;		/* NULL: not begun in this stage */
} VsBm25Scan;

/* A row that a scan has found. */
typedef struct FoundRow
{
	ItemPointerData tid;
	bool		recheck;
	bool		recheck_distance;
	IndexOrderByDistance distance;
} FoundRow;

/* What this backend's last scans have returned of ranked documents. */
typedef struct LastScan
{
	Oid			index;
	uint64		nranked;
} LastScan;

static LastScan last_scans[16];

static LastScan *
get_last_scan(const VsBm25Scan *state)
{
	Oid			index = RelationGetRelid(state->scan->indexRelation);

	return &last_scans[index % lengthof(last_scans)];
}

/* How many documents to search for at first. */
static uint64
choose_k(const VsBm25Scan *state)
{
	const LastScan *last = get_last_scan(state);

	if (last->index != RelationGetRelid(state->scan->indexRelation))
		return FIRST_K;
	if (last->nranked >= LARGEST_FIRST_K)
		return LARGEST_FIRST_K;
	return pg_nextpower2_32(Max(last->nranked, LEAST_K));
}

/* The query by which the scan orders; NULL if there is none. */
static TSQuery
read_rank(IndexScanDesc scan, Oid *index)
{
	ScanKey		orderby = scan->orderByData;
	VsBm25QueryDatum *datum;

	if (scan->numberOfOrderBys == 0 || (orderby->sk_flags & SK_ISNULL))
		return NULL;
	datum = (VsBm25QueryDatum *) PG_DETOAST_DATUM(orderby->sk_argument);
	*index = datum->index;
	return &datum->query;
}

/* The conditions; false if one is NULL, which no row matches. */
static bool
read_filters(IndexScanDesc scan, TSQuery *filters)
{
	for (int i = 0; i < scan->numberOfKeys; i++)
	{
		ScanKey		key = &scan->keyData[i];

		if (key->sk_flags & SK_ISNULL)
			return false;
		filters[i] = DatumGetTSQuery(key->sk_argument);
	}
	return true;
}

/* Look at the index as it is now, and begin with the first stage. */
static void
open_view(VsBm25Scan *state)
{
	MemoryContext old = MemoryContextSwitchTo(state->context);

	state->view = vs_bm25_view_open(state->scan->indexRelation);
	state->search = NULL;
	state->stage = STAGE_RANKED;
	memset(&state->hits, 0, sizeof(state->hits));
	state->nhits = 0;
	state->stream = NULL;
	MemoryContextSwitchTo(old);
}

/* Close it, and forget what was found in it. */
static void
close_view(VsBm25Scan *state)
{
	if (state->view != NULL)
		vs_bm25_view_close(state->view);
	state->view = NULL;
	MemoryContextReset(state->context);
}

/*
 * On a standby segments may be replaced under a scan, which then begins anew and
 * must know what it has returned.
 */
static HTAB *
create_returned(void)
{
	HASHCTL		control = {
		.keysize = sizeof(ItemPointerData),
		.entrysize = sizeof(ItemPointerData),
		.hcxt = CurrentMemoryContext,
	};

	return hash_create("rows returned by a bm25 scan", 256, &control,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* VsScanMethod.start */
static void
start_scan(IndexScanDesc scan, void *arg)
{
	VsBm25Scan *state = arg;
	TSQuery    *filters = palloc(sizeof(TSQuery) * Max(scan->numberOfKeys, 1));
	Oid			index = InvalidOid;
	TSQuery		rank;

	if (scan->numberOfOrderBys > 1)
		elog(ERROR, "cannot scan bm25 index in two orders");

	state->scan = scan;
	state->context = AllocSetContextCreate(CurrentMemoryContext,
										   "bm25 search",
										   ALLOCSET_DEFAULT_SIZES);
	state->stage = STAGE_END;
	if (!read_filters(scan, filters))
		return;
	rank = read_rank(scan, &index);
	state->query = vs_bm25_query_make(rank, scan->numberOfKeys, filters);
	if (state->query->matches_none)
		return;
	state->has_filter = scan->numberOfKeys > 0;
	state->has_distance = rank != NULL;

	open_view(state);
	if (rank != NULL)
		vs_bm25_query_bind(state->query, index, scan->xs_snapshot,
						   state->view);
	if (RecoveryInProgress())
		state->returned = create_returned();
}

/* VsScanMethod.end */
static void
end_scan(void *arg)
{
	VsBm25Scan *state = arg;

	if (state->hits.k > 0)
		*get_last_scan(state) = (LastScan)
	{
		.index = RelationGetRelid(state->scan->indexRelation),
			.nranked = state->nhits,
	};
	if (state->view != NULL)
		close_view(state);
	for (int i = 0; i < state->scan->numberOfOrderBys; i++)
		state->scan->xs_orderbynulls[i] = true;
}

/* Search for more of the best documents; false if all were found. */
static bool
search_more(VsBm25Scan *state)
{
	VsBm25Hits *hits = &state->hits;
	uint64		k = hits->k * K_GROWTH;

	if (hits->k == 0)
		k = choose_k(state);
	else if (hits->n < hits->k)
		return false;
	else
		vs_bm25_hits_end(hits);

	vs_bm25_hits_begin(hits, k);
	vs_bm25_search_top(state->search, hits);
	vs_bm25_hits_sort(hits);
	return state->nhits < hits->n;
}

/* The next of the documents ranked above 0. */
static bool
next_ranked(VsBm25Scan *state, FoundRow *row)
{
	const VsBm25Hit *hit;

	if (state->query->rank < 0)
		return false;
	if (state->nhits == state->hits.n && !search_more(state))
		return false;

	hit = &state->hits.hits[state->nhits++];
	vs_bm25_part_read_tids(&state->search->parts[hit->part], hit->doc, 1,
						   &row->tid);
	row->recheck = hit->recheck;
	row->recheck_distance = hit->recheck_score;
	row->distance.value = -hit->score;
	return true;
}

/* Mark what was ranked, as the documents yet to come are all others. */
static void
mark_returned(VsBm25Scan *state)
{
	for (uint64 i = 0; i < state->hits.n; i++)
	{
		const VsBm25Hit *hit = &state->hits.hits[i];
		VsBm25Part *part = &state->search->parts[hit->part];

		if (part->returned == NULL)
			part->returned =
				MemoryContextAllocExtended(CurrentMemoryContext,
										   part->ndocs / 8 + 1,
										   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		part->returned[hit->doc / 8] |= 1 << (hit->doc % 8);
	}
}

/* Whether a document that matches the tree that ranks scores above 0. */
static bool
ranks_all_matches(const VsBm25Query *query)
{
	for (int i = 0; i < BM25_LABELS; i++)
		if (query->params.weights[i] <= 0.0)
			return false;
	for (int i = 0; i < query->nnodes; i++)
		if (query->nodes[i].kind == BM25_NODE_NOT)
			return false;
	return true;
}

/* Stream the documents that match and were not ranked. */
static VsBm25Stream *
stream_matches(VsBm25Scan *state)
{
	const VsBm25Query *query = state->query;
	int			nfilters = query->nfilters;
	int		   *filters = palloc(sizeof(int) * (nfilters + 1));

	memcpy(filters, query->filters, sizeof(int) * nfilters);
	if (query->rank_is_filter)
		filters[nfilters++] = query->rank;
	mark_returned(state);
	return vs_bm25_stream_documents(state->search,
									vs_bm25_goal_make(query, nfilters,
													  filters, -1));
}

/* The next of the documents that are not ranked above 0. */
static bool
next_match(VsBm25Scan *state, FoundRow *row)
{
	if (state->query->rank_is_filter && ranks_all_matches(state->query))
		return false;
	if (state->stream == NULL)
		state->stream = stream_matches(state);
	return vs_bm25_stream_next(state->stream, &row->tid, &row->recheck);
}

/* The next of the rows with a NULL, which match no condition. */
static bool
next_null(VsBm25Scan *state, FoundRow *row)
{
	if (state->has_filter)
		return false;
	if (state->stream == NULL)
		state->stream = vs_bm25_stream_nulls(state->search);
	row->distance.isnull = true;
	return vs_bm25_stream_next(state->stream, &row->tid, &row->recheck);
}

/* The next row of the view; false at its end, or if it is stale. */
static bool
find_row(VsBm25Scan *state, FoundRow *row)
{
	static bool (*const next[]) (VsBm25Scan *, FoundRow *) = {
		[STAGE_RANKED] = next_ranked,
		[STAGE_MATCHES] = next_match,
		[STAGE_NULLS] = next_null,
	};

	if (state->search == NULL && state->stage != STAGE_END)
		state->search = vs_bm25_search_begin(state->query, state->view);
	for (; state->stage != STAGE_END; state->stage++)
	{
		bool		is_found;

		memset(row, 0, sizeof(*row));
		row->distance.isnull = !state->has_distance;
		is_found = next[state->stage] (state, row);
		if (vs_bm25_view_is_stale(state->view))
			return false;
		if (is_found)
			return true;
		state->stream = NULL;
	}
	return false;
}

/* Whether a row was returned before the view was opened anew. */
static bool
was_returned(VsBm25Scan *state, ItemPointer tid)
{
	bool		is_found = false;

	if (state->returned != NULL)
		hash_search(state->returned, tid, HASH_ENTER, &is_found);
	return is_found;
}

/* VsScanMethod.next */
static bool
next_row(void *arg, ItemPointer tid)
{
	VsBm25Scan *state = arg;
	IndexScanDesc scan = state->scan;
	Oid			type = FLOAT8OID;
	FoundRow	row;

	do
	{
		MemoryContext old = MemoryContextSwitchTo(state->context);
		bool		is_found = find_row(state, &row);

		MemoryContextSwitchTo(old);
		if (is_found)
			continue;
		if (state->view == NULL || !vs_bm25_view_is_stale(state->view))
			return false;
		if (state->returned == NULL)
			elog(ERROR, "index \"%s\" was changed under a scan",
				 RelationGetRelationName(scan->indexRelation));
		close_view(state);
		open_view(state);
		ItemPointerSetInvalid(&row.tid);
	} while (!ItemPointerIsValid(&row.tid) || was_returned(state, &row.tid));

	*tid = row.tid;
	scan->xs_recheck = row.recheck;
	if (scan->numberOfOrderBys > 0)
		index_store_float8_orderby_distances(scan, &type, &row.distance,
											 row.recheck_distance);
	return true;
}

IndexScanDesc
vs_bm25_beginscan(Relation index, int nkeys, int norderbys)
{
	static const VsScanMethod method = {
		.name = "bm25",
		.state_nbytes = sizeof(VsBm25Scan),
		.does_unordered = true,
		.start = start_scan,
		.next = next_row,
		.end = end_scan,
	};
	IndexScanDesc scan = vs_scan_begin(index, nkeys, norderbys, &method);

	if (norderbys > 0)
	{
		scan->xs_orderbyvals = palloc0(sizeof(Datum) * norderbys);
		scan->xs_orderbynulls = palloc(sizeof(bool) * norderbys);
		memset(scan->xs_orderbynulls, true, sizeof(bool) * norderbys);
	}
	return scan;
}

int64
vs_bm25_getbitmap(IndexScanDesc scan, TIDBitmap *bitmap)
{
	int64		n = 0;

	while (vs_scan_gettuple(scan, ForwardScanDirection))
	{
		tbm_add_tuples(bitmap, &scan->xs_heaptid, 1, scan->xs_recheck);
		n++;
	}
	return n;
}
