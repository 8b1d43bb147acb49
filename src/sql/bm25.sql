-- The bm25 access method (src/bm25).

CREATE FUNCTION bm25handler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME', 'vs_bm25_handler' LANGUAGE C;

COMMENT ON FUNCTION bm25handler(internal) IS 'bm25 index access method handler';

CREATE ACCESS METHOD bm25 TYPE INDEX HANDLER bm25handler;

COMMENT ON ACCESS METHOD bm25 IS 'inverted index that ranks tsvectors by BM25';

-- A tsquery that carries the index by whose statistics rows are scored.  It is made
-- by bm25_query where it is used, and not for storing.

CREATE TYPE bm25query;

CREATE FUNCTION bm25query_in(cstring) RETURNS bm25query
	AS 'MODULE_PATHNAME', 'vs_bm25query_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION bm25query_in(cstring) IS 'I/O';

CREATE FUNCTION bm25query_out(bm25query) RETURNS cstring
	AS 'MODULE_PATHNAME', 'vs_bm25query_out' LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION bm25query_out(bm25query) IS 'I/O';

CREATE TYPE bm25query (
	INPUT = bm25query_in,
	OUTPUT = bm25query_out,
	ALIGNMENT = int4,
	STORAGE = plain
);

COMMENT ON TYPE bm25query IS 'tsquery and the bm25 index whose statistics score it; not for storing';

CREATE FUNCTION bm25_query(index regclass, query tsquery) RETURNS bm25query
	AS 'MODULE_PATHNAME', 'vs_bm25_query' LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION bm25_query(regclass, tsquery) IS 'name the bm25 index whose statistics score a query';

-- What naming an index adds is not lost where <@> and bm25_score take the result:
-- their support function sees this cast and undoes it.
CREATE FUNCTION bm25query_to_tsquery(bm25query) RETURNS tsquery
	AS 'MODULE_PATHNAME', 'vs_bm25query_to_tsquery' LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION bm25query_to_tsquery(bm25query) IS 'the query without its index';

CREATE CAST (bm25query AS tsquery) WITH FUNCTION bm25query_to_tsquery(bm25query) AS IMPLICIT;

COMMENT ON CAST (bm25query AS tsquery) IS 'leaves out the index';

-- For users: the index is found from the tsvector's column.

CREATE FUNCTION bm25_distance_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vs_bm25_distance_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION bm25_distance_support(internal) IS 'planner support: finds the bm25 index of a column';

CREATE FUNCTION bm25_score_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vs_bm25_score_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION bm25_score_support(internal) IS 'planner support: finds the bm25 index of a column';

CREATE FUNCTION bm25_distance(tsvector, tsquery) RETURNS double precision
	AS 'MODULE_PATHNAME', 'vs_bm25_without_index' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED
	COST 10 SUPPORT bm25_distance_support;

COMMENT ON FUNCTION bm25_distance(tsvector, tsquery) IS 'implementation of <@> operator';

CREATE FUNCTION bm25_score(tsvector, tsquery) RETURNS double precision
	AS 'MODULE_PATHNAME', 'vs_bm25_without_index' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED
	COST 10 SUPPORT bm25_score_support;

COMMENT ON FUNCTION bm25_score(tsvector, tsquery) IS 'BM25 score of a document for a query';

CREATE OPERATOR <@> (
	LEFTARG = tsvector, RIGHTARG = tsquery, FUNCTION = bm25_distance
);

COMMENT ON OPERATOR <@> (tsvector, tsquery) IS 'negative BM25 score';

-- What the planner makes of them.

CREATE FUNCTION bm25_query_distance(tsvector, bm25query) RETURNS double precision
	AS 'MODULE_PATHNAME', 'vs_bm25_query_distance' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED
	COST 10;

COMMENT ON FUNCTION bm25_query_distance(tsvector, bm25query) IS 'implementation of <@@> operator';

CREATE FUNCTION bm25_query_score(tsvector, bm25query) RETURNS double precision
	AS 'MODULE_PATHNAME', 'vs_bm25_query_score' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED
	COST 10;

COMMENT ON FUNCTION bm25_query_score(tsvector, bm25query) IS 'BM25 score of a document for a query with its index';

CREATE OPERATOR <@@> (
	LEFTARG = tsvector, RIGHTARG = bm25query, FUNCTION = bm25_query_distance
);

COMMENT ON OPERATOR <@@> (tsvector, bm25query) IS 'negative BM25 score';

CREATE OPERATOR CLASS tsvector_bm25_ops
	DEFAULT FOR TYPE tsvector USING bm25 AS
	OPERATOR 1 pg_catalog.@@ (tsvector, tsquery),
	OPERATOR 2 <@@> (tsvector, bm25query) FOR ORDER BY float_ops;

COMMENT ON OPERATOR CLASS tsvector_bm25_ops USING bm25 IS 'documents by BM25';
COMMENT ON OPERATOR FAMILY tsvector_bm25_ops USING bm25 IS 'documents by BM25';

-- Maintenance.

CREATE FUNCTION vsearch_merge(index regclass) RETURNS integer
	AS 'MODULE_PATHNAME', 'vs_bm25_maintain' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION vsearch_merge(regclass) IS 'merge all segments of a bm25 index into one: how many there were, 0 if nothing was to be done';
