/*
 * bm25_statistics.c
 *		Statistics of indexes that belong together, once in a moment.
 *
 * How many documents there are, how long, and how many have a lexeme: read when a
 * query first asks, then remembered as long as its snapshot is used, so that all
 * that it computes agrees.  README.md, "Queries and statistics".
 */
#include "postgres.h"

#include "access/genam.h"
#include "bm25/bm25_private.h"
#include "bm25/bm25_query.h"
#include "bm25/bm25_statistics.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Statistics of so many moments and indexes are remembered, ... */
#define MAX_REMEMBERED 8

/* ... and lexemes of so many bytes of each. */
#define MAX_LEXEMES_NBYTES ((Size) 1024 * 1024)

/* A lexeme or prefix, and in how many documents it is. */
typedef struct LexemeKey
{
	const char *bytes;
	int			nbytes;
	bool		is_prefix;
} LexemeKey;

typedef struct LexemeEntry
{
	LexemeKey	key;
	double		df;
	char		status;			/* simplehash's */
} LexemeEntry;

static inline uint32
hash_lexeme(LexemeKey key)
{
	return hash_bytes((const unsigned char *) key.bytes, key.nbytes) +
		key.is_prefix;
}

static inline bool
is_same_lexeme(LexemeKey a, LexemeKey b)
{
	return a.nbytes == b.nbytes && a.is_prefix == b.is_prefix &&
		memcmp(a.bytes, b.bytes, a.nbytes) == 0;
}

#define SH_PREFIX lexemes
#define SH_ELEMENT_TYPE LexemeEntry
#define SH_KEY_TYPE LexemeKey
#define SH_KEY key
#define SH_HASH_KEY(tb, key) hash_lexeme(key)
#define SH_EQUAL(tb, a, b) is_same_lexeme(a, b)
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

typedef struct Statistics
{
	MemoryContext context;
	VsBm25Moment moment;
	Oid			index;			/* that queries carry */
	bool		has_totals;		/* and parameters */
	VsBm25Params params;
	double		ndocs;
	double		total_len;
	lexemes_hash *lexemes;
	Size		lexemes_nbytes;
} Statistics;

/* What is remembered, used last first; it goes with the transaction. */
static Statistics *remembered[MAX_REMEMBERED];
static int	nremembered = 0;
static MemoryContext remembered_context = NULL;

/* Counting the documents of leaves, and all. */
typedef struct Counting
{
	MemoryContext context;		/* lives as long as this */
	VsBm25Params params;
	double		ndocs;
	double		total_len;
	int			n;
	const VsBm25Leaf **leaves;
	double	   *dfs;
	lexemes_hash **expansions;	/* of a prefix: its lexemes so far */
} Counting;

void
vs_bm25_get_moment(Snapshot snapshot, VsBm25Moment *moment)
{
	memset(moment, 0, sizeof(*moment));
	if (snapshot == NULL || snapshot->snapshot_type != SNAPSHOT_MVCC)
		return;
	moment->xmin = snapshot->xmin;
	moment->xmax = snapshot->xmax;
	moment->xcnt = snapshot->xcnt;
	moment->curcid = snapshot->curcid;
	moment->completion_count = snapshot->snapXactCompletionCount;
}

/* The transaction ends, or statistics are to be forgotten. */
static void
reset_remembered(void *arg)
{
	nremembered = 0;
	remembered_context = NULL;
}

void
vs_bm25_forget_statistics(void)
{
	if (remembered_context != NULL)
		MemoryContextDelete(remembered_context);
}

static MemoryContext
get_remembered_context(void)
{
	if (remembered_context == NULL)
	{
		MemoryContext context = AllocSetContextCreate(TopTransactionContext,
													  "bm25 statistics",
													  ALLOCSET_SMALL_SIZES);
		MemoryContextCallback *callback =
			MemoryContextAllocZero(context, sizeof(MemoryContextCallback));

		callback->func = reset_remembered;
		MemoryContextRegisterResetCallback(context, callback);
		remembered_context = context;
	}
	return remembered_context;
}

/* Put an entry first. */
static void
remember(Statistics *statistics, int from)
{
	memmove(&remembered[1], &remembered[0], sizeof(remembered[0]) * from);
	remembered[0] = statistics;
}

/* Begin the statistics of an index, and remember them instead of the oldest. */
static Statistics *
begin_statistics(const VsBm25Moment *moment, Oid index)
{
	MemoryContext context = AllocSetContextCreate(get_remembered_context(),
												  "bm25 statistics of an index",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Statistics *statistics = palloc0(sizeof(Statistics));

	statistics->context = context;
	statistics->moment = *moment;
	statistics->index = index;
	statistics->lexemes = lexemes_create(context, 16, NULL);
	MemoryContextSwitchTo(caller);

	if (nremembered == MAX_REMEMBERED)
		MemoryContextDelete(remembered[--nremembered]->context);
	remember(statistics, nremembered++);
	return statistics;
}

static Statistics *
get_statistics(const VsBm25Moment *moment, Oid index)
{
	for (int i = 0; i < nremembered; i++)
	{
		Statistics *statistics = remembered[i];

		if (statistics->index == index &&
			vs_bm25_is_same_moment(&statistics->moment, moment))
		{
			remember(statistics, i);
			return statistics;
		}
	}
	return begin_statistics(moment, index);
}

static LexemeKey
leaf_key(const VsBm25Leaf *leaf)
{
	LexemeKey	key = {leaf->lexeme, leaf->nbytes, leaf->is_prefix};

	return key;
}

/* Remember in how many documents a leaf's lexeme is. */
static void
remember_df(Statistics *statistics, const VsBm25Leaf *leaf, double df)
{
	LexemeKey	key = leaf_key(leaf);
	LexemeEntry *entry;
	bool		found;
	char	   *copy;

	if (statistics->lexemes_nbytes >= MAX_LEXEMES_NBYTES)
		return;
	copy = MemoryContextAlloc(statistics->context, Max(key.nbytes, 1));
	memcpy(copy, key.bytes, key.nbytes);
	key.bytes = copy;
	entry = lexemes_insert(statistics->lexemes, key, &found);
	entry->df = df;
	statistics->lexemes_nbytes += key.nbytes + sizeof(LexemeEntry);
}

/* Note one of the lexemes that a prefix stands for; ERROR if they are too many. */
static void
add_expansion(Counting *counting, int i, const char *lexeme, int nbytes)
{
	lexemes_hash *expansions = counting->expansions[i];
	const VsBm25Leaf *leaf = counting->leaves[i];
	LexemeKey	key = {lexeme, nbytes, false};
	bool		found;
	char	   *copy;

	if (lexemes_lookup(expansions, key) != NULL)
		return;
	if (expansions->members >= vs_bm25_max_prefix_lexemes)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("prefix \"%.*s\" stands for more than %d lexemes",
						leaf->nbytes, leaf->lexeme,
						vs_bm25_max_prefix_lexemes),
				 errhint("Use a longer prefix, or raise bm25.max_prefix_lexemes.")));
	copy = MemoryContextAlloc(counting->context, Max(nbytes, 1));
	memcpy(copy, lexeme, nbytes);
	key.bytes = copy;
	lexemes_insert(expansions, key, &found);
}

/* Postings of all lexemes of a prefix in a segment. */
static double
count_prefix_in_segment(Counting *counting, int i, VsBm25Segment *segment)
{
	const VsBm25Leaf *leaf = counting->leaves[i];
	VsBm25LexemeWalk walk;
	double		df = 0.0;

	vs_bm25_walk_begin(&walk, segment, leaf->lexeme, leaf->nbytes);
	while (vs_bm25_walk_next(&walk) &&
		   vs_bm25_leaf_begins(leaf, walk.lexeme, walk.nbytes))
	{
		CHECK_FOR_INTERRUPTS();
		add_expansion(counting, i, walk.lexeme, walk.nbytes);
		df += walk.list.df;
	}
	vs_bm25_walk_end(&walk);
	return df;
}

/* The same of one document of the write buffer. */
static double
count_prefix_in_record(Counting *counting, int i,
					   const VsBm25RecordHeader *record)
{
	uint32		position = 0;
	VsBm25Term	term;
	double		df = 0.0;

	while (vs_bm25_record_next_term(record, &position, &term))
	{
		if (!vs_bm25_leaf_begins(counting->leaves[i], term.lexeme, term.nbytes))
			continue;
		add_expansion(counting, i, term.lexeme, term.nbytes);
		df += 1.0;
	}
	return df;
}

/* Count the documents of a segment. */
static void
count_in_segment(Counting *counting, VsBm25Segment *segment, double *dfs)
{
	for (int i = 0; i < counting->n; i++)
	{
		const VsBm25Leaf *leaf = counting->leaves[i];
		VsBm25List	list;

		CHECK_FOR_INTERRUPTS();
		if (leaf->is_prefix)
		{
			dfs[i] += count_prefix_in_segment(counting, i, segment);
			continue;
		}
		vs_bm25_segment_find(segment, leaf->lexeme, leaf->nbytes, &list);
		dfs[i] += list.df;
	}
}

/* Count those of the write buffer. */
static void
count_in_buffer(Counting *counting, const VsBm25View *view, double *dfs)
{
	uint32		offset = 0;

	while (offset < view->buffer.nbytes)
	{
		const VsBm25RecordHeader *record =
			vs_bm25_buffer_record(view->rel, &view->buffer, &offset);
		VsBm25Term	term;

		for (int i = 0; i < counting->n; i++)
		{
			const VsBm25Leaf *leaf = counting->leaves[i];

			if (leaf->is_prefix)
				dfs[i] += count_prefix_in_record(counting, i, record);
			else if (vs_bm25_record_find(record, leaf->hash, leaf->lexeme,
										 leaf->nbytes, &term))
				dfs[i] += 1.0;
		}
	}
}

/*
 * Count what a view shows; false, with nothing counted, if it has become stale.
 */
static bool
count_in_view(Counting *counting, const VsBm25View *view)
{
	double	   *dfs = MemoryContextAllocZero(counting->context,
											 sizeof(double) * (counting->n + 1));

	for (int i = 0; i < view->nsegments; i++)
		count_in_segment(counting, view->segments[i], dfs);
	count_in_buffer(counting, view, dfs);
	if (vs_bm25_view_is_stale(view))
		return false;

	for (int i = 0; i < counting->n; i++)
		counting->dfs[i] += dfs[i];
	counting->ndocs += view->ndocs;
	counting->total_len += view->total_len;
	return true;
}

/* Count what an index holds now. */
static void
count_in_index(Counting *counting, Oid index)
{
	MemoryContext context = AllocSetContextCreate(counting->context,
												  "bm25 view",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Relation	rel = index_open(index, AccessShareLock);
	bool		done;

	do
	{
		VsBm25View *view = vs_bm25_view_open(rel);

		CHECK_FOR_INTERRUPTS();
		done = count_in_view(counting, view);
		vs_bm25_view_close(view);
	} while (!done);
	index_close(rel, NoLock);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

/*
 * Count in all indexes of a group; view is one of an index of them, or NULL.  The
 * group is found, and locked, each time: the end of a subtransaction may have
 * released the locks that were taken before.
 */
static void
count_in_group(Counting *counting, Oid index, const VsBm25View *view)
{
	List	   *group = vs_bm25_find_group(index, &counting->params);
	ListCell   *cell;

	foreach(cell, group)
	{
		Oid			member = lfirst_oid(cell);

		if (view == NULL || RelationGetRelid(view->rel) != member ||
			!count_in_view(counting, view))
			count_in_index(counting, member);
	}
}

/* Count the documents of leaves that rank and are not remembered. */
static void
count_leaves(Statistics *statistics, VsBm25Query *query, const VsBm25View *view)
{
	Counting	counting = {
		.context = AllocSetContextCreate(CurrentMemoryContext, "bm25 counting",
										 ALLOCSET_DEFAULT_SIZES),
	};
	MemoryContext caller = MemoryContextSwitchTo(counting.context);

	counting.leaves = palloc(sizeof(VsBm25Leaf *) * (query->rank_nleaves + 1));
	counting.dfs = palloc0(sizeof(double) * (query->rank_nleaves + 1));
	counting.expansions = palloc0(sizeof(lexemes_hash *) * (query->rank_nleaves + 1));
	for (int i = 0; i < query->rank_nleaves; i++)
	{
		const VsBm25Leaf *leaf = &query->leaves[i];

		if (leaf->df >= 0.0)
			continue;
		if (leaf->is_prefix)
			counting.expansions[counting.n] =
				lexemes_create(counting.context, 64, NULL);
		counting.leaves[counting.n++] = leaf;
	}

	if (counting.n > 0 || !statistics->has_totals)
		count_in_group(&counting, statistics->index, view);
	if (!statistics->has_totals)
	{
		statistics->params = counting.params;
		statistics->ndocs = counting.ndocs;
		statistics->total_len = counting.total_len;
		statistics->has_totals = true;
	}
	for (int i = 0; i < counting.n; i++)
	{
		VsBm25Leaf *leaf = unconstify(VsBm25Leaf *, counting.leaves[i]);

		leaf->df = Min(counting.dfs[i], statistics->ndocs);
		remember_df(statistics, leaf, leaf->df);
	}

	MemoryContextSwitchTo(caller);
	MemoryContextDelete(counting.context);
}

void
vs_bm25_query_bind(VsBm25Query *query, Oid index, Snapshot snapshot,
				   VsBm25View *view)
{
	VsBm25Moment moment;
	Statistics *statistics;

	vs_bm25_get_moment(snapshot, &moment);
	statistics = get_statistics(&moment, index);

	for (int i = 0; i < query->rank_nleaves; i++)
	{
		VsBm25Leaf *leaf = &query->leaves[i];
		const LexemeEntry *entry = lexemes_lookup(statistics->lexemes,
												  leaf_key(leaf));

		leaf->df = entry != NULL ? entry->df : -1.0;
	}
	count_leaves(statistics, query, view);

	query->ndocs = statistics->ndocs;
	query->params = statistics->params;
	if (statistics->total_len > 0.0)
		query->params.average_len = statistics->total_len / statistics->ndocs;
	for (int i = 0; i < query->rank_nleaves; i++)
		query->leaves[i].idf = vs_bm25_idf(query->ndocs, query->leaves[i].df);
}
