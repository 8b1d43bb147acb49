
-- Inspection (src/index/check.c, src/index/stats.c).

CREATE FUNCTION vsearch_check(index regclass, heapallindexed boolean DEFAULT false,
	OUT severity text, OUT block bigint, OUT node bigint, OUT problem text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'vs_check' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;

COMMENT ON FUNCTION vsearch_check(regclass, boolean) IS 'problems of a vsearch index: none if it is sound';

CREATE FUNCTION vsearch_index_stats(index regclass,
	OUT name text, OUT value double precision, OUT detail text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'vs_index_stats' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;

COMMENT ON FUNCTION vsearch_index_stats(regclass) IS 'numbers on the state of a vsearch index, and advice';
