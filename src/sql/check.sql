
-- Inspection (src/index/check.c).

CREATE FUNCTION vsearch_check(index regclass, heapallindexed boolean DEFAULT false,
	OUT severity text, OUT block bigint, OUT node bigint, OUT problem text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'vs_check' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;

COMMENT ON FUNCTION vsearch_check(regclass, boolean) IS 'problems of a vsearch index: none if it is sound';
