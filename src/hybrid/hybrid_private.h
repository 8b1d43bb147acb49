/*
 * hybrid_private.h
 *		The parts of hybrid_search.
 *
 * A hybrid search has two sides, vector and text.  Each yields candidates, a
 * ranked list of rows; fusion makes one list of the two.
 */
#ifndef VS_HYBRID_PRIVATE_H
#define VS_HYBRID_PRIVATE_H

#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "nodes/primnodes.h"
#include "storage/itemptr.h"
#include "tsearch/ts_type.h"
#include "utils/jsonb.h"
#include "utils/rel.h"

typedef enum VsHybridSide
{
	HYBRID_VECTOR,
	HYBRID_TEXT
} VsHybridSide;

#define HYBRID_SIDES 2

/*
 * The column that says which row is which.  Names here and below are quoted as
 * SQL needs them.
 */
typedef struct VsHybridKey
{
	char	   *name;
	bool		is_unique;		/* no two rows have the same, none has NULL */
	Oid			type;
	Oid			collation;
	int16		typlen;
	bool		typbyval;
	FmgrInfo	output;
	FmgrInfo	compare;		/* fn_oid is invalid: the type has no order */
} VsHybridKey;

/* A table to search. */
typedef struct VsHybridTable
{
	Relation	relation;
	Oid			schema;			/* of the extension */
	char	   *name;			/* qualified */
	VsHybridKey key;
} VsHybridTable;

/* What the rows of a table are ordered by on one side. */
typedef struct VsHybridColumn
{
	Oid			index;			/* that it was found by; or InvalidOid */
	AttrNumber	attno;			/* the only column it uses, else 0 */
	Node	   *expr;			/* NULL where it is that column */
	char	   *sql;			/* in parentheses */
	char	   *condition;		/* of a partial index, likewise; else NULL */
	Oid			order_operator;
} VsHybridColumn;

/* What to look for; the strings are not quoted, and NULL if not given. */
typedef struct VsHybridColumnSpec
{
	VsHybridSide side;
	const char *column;			/* a column of this name */
	const char *operator;		/* by this operator */
	Oid			index;			/* by this index; or InvalidOid */
} VsHybridColumnSpec;

/* The parameters of a statement, by number from 1 on. */
typedef struct VsHybridParams
{
	int			n;
	int			max;
	Oid		   *types;
	Datum	   *values;
	char	   *nulls;			/* 'n' or ' ', as SPI has it */
} VsHybridParams;

/* How many parameters come before those of filters. */
typedef enum VsHybridParamNumber
{
	HYBRID_PARAM_LIMIT = 1,
	HYBRID_PARAM_VECTOR,
	HYBRID_PARAM_TSQUERY,
	HYBRID_PARAM_INDEX
} VsHybridParamNumber;

/* A row that a side, or both, found. */
typedef struct VsHybridRow
{
	Datum		key;
	bool		key_is_null;
	Oid			table;			/* these two tell rows apart where */
	ItemPointerData tid;		/* keys may not; else 0 */
	int64		rank[HYBRID_SIDES]; /* from 1 on; 0: not found */
	double		value[HYBRID_SIDES];	/* distance; BM25 score */
	double		score;			/* fused */
} VsHybridRow;

typedef struct VsHybridRows
{
	int			n;
	VsHybridRow *rows;
} VsHybridRows;

typedef enum VsHybridMethod
{
	HYBRID_RRF,					/* reciprocal rank fusion */
	HYBRID_LINEAR				/* weighted sum of values scaled to 0..1 */
} VsHybridMethod;

typedef struct VsHybridFusion
{
	VsHybridMethod method;
	int			rrf_k;
	double		weight[HYBRID_SIDES];
} VsHybridFusion;

/* How the words of a text make a tsquery. */
typedef enum VsHybridQueryMode
{
	HYBRID_QUERY_ANY,			/* or-ed, each once */
	HYBRID_QUERY_ALL,			/* plainto_tsquery */
	HYBRID_QUERY_PHRASE,		/* phraseto_tsquery */
	HYBRID_QUERY_WEBSEARCH,		/* websearch_to_tsquery */
	HYBRID_QUERY_TSQUERY		/* to_tsquery */
} VsHybridQueryMode;

/* hybrid_table.c */

/*
 * Open a table or materialized view under AccessShareLock, which is kept until
 * the transaction ends, and find its key: the column of that name, or by NULL the
 * primary key.  ERROR if the current user may read none of its columns.
 */
extern void vs_hybrid_open_table(VsHybridTable *table, Oid relid, Oid schema,
								 const char *key_column);
extern void vs_hybrid_close_table(VsHybridTable *table);

/* The number of a column of the table; ERROR if it has none of that name. */
extern AttrNumber vs_hybrid_get_attno(Relation relation, const char *column);

/*
 * Order of two rows by key, then by place: negative, 0 for the same row, or
 * positive.  NULL keys come last.
 */
extern int	vs_hybrid_compare_rows(VsHybridKey *key, const VsHybridRow *a,
								   const VsHybridRow *b);

/* hybrid_column.c */

/*
 * Find the one column or expression that a side of the search orders by; ERROR if
 * there is none, or more than one that meets the specification.
 */
extern VsHybridColumn *vs_hybrid_find_column(const VsHybridTable *table,
											 const VsHybridColumnSpec *spec);

/* An operator as SQL that no search_path changes. */
extern char *vs_hybrid_form_operator(Oid operator);

/* hybrid_text.c */

/*
 * The text search configuration that a column or expression was made with; ERROR
 * if it does not tell.  A column filled by other means: that of
 * default_text_search_config.
 */
extern Oid	vs_hybrid_text_config(const VsHybridTable *table,
								  const VsHybridColumn *column);

extern TSQuery vs_hybrid_form_tsquery(Oid config, VsHybridQueryMode mode,
									  Datum words);

/* hybrid_filter.c */

/* Add a parameter; returns its number. */
extern int	vs_hybrid_add_param(VsHybridParams *params, Oid type, Datum value,
								bool is_null);

/*
 * Append " AND condition" for each condition of a filter, whose values become
 * parameters.
 */
extern void vs_hybrid_append_filter(StringInfo sql, VsHybridParams *params,
									Relation relation, Jsonb *filter);

/* hybrid_rank.c */

/*
 * The rows that are first on a side, best first, ranked from 1 on, in the current
 * memory context.  filter: conditions as vs_hybrid_append_filter leaves them.
 * Runs as the current user, under the active snapshot.
 */
extern VsHybridRows vs_hybrid_rank(VsHybridTable *table, VsHybridSide side,
								   const VsHybridColumn *column,
								   const char *filter,
								   const VsHybridParams *params);

/* hybrid_fuse.c */

/* Score the rows of both sides and order them, best first; sides[] is used up. */
extern VsHybridRows vs_hybrid_fuse(VsHybridKey *key,
								   const VsHybridFusion *fusion,
								   const VsHybridRows sides[HYBRID_SIDES]);

#endif							/* VS_HYBRID_PRIVATE_H */
