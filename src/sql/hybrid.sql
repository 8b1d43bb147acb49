
-- Hybrid search (src/hybrid).

CREATE FUNCTION rrf_score(rank bigint, k integer DEFAULT 60) RETURNS double precision
	AS 'MODULE_PATHNAME', 'vs_rrf_score' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION rrf_score(bigint, integer) IS 'score of a rank in reciprocal rank fusion: 1 / (k + rank), 0 where rank is NULL';

CREATE FUNCTION anyto_tsquery(config regconfig, query text) RETURNS tsquery
	AS 'MODULE_PATHNAME', 'vs_hybrid_anyto_tsquery' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION anyto_tsquery(regconfig, text) IS 'tsquery that any word of the text matches, each word once';

CREATE FUNCTION anyto_tsquery(query text) RETURNS tsquery
	AS 'MODULE_PATHNAME', 'vs_hybrid_anyto_tsquery_current' LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION anyto_tsquery(text) IS 'tsquery that any word of the text matches, each word once';

CREATE FUNCTION hybrid_search(relation regclass, query_vector vector, query_text text,
	k integer DEFAULT 10, filter jsonb DEFAULT NULL,
	fusion text DEFAULT 'rrf', rrf_k integer DEFAULT 60,
	vector_weight double precision DEFAULT 1, text_weight double precision DEFAULT 1,
	candidates integer DEFAULT NULL,
	query_mode text DEFAULT 'any', text_config regconfig DEFAULT NULL,
	key_column name DEFAULT NULL,
	vector_column name DEFAULT NULL, vector_operator text DEFAULT NULL,
	text_column name DEFAULT NULL, text_index regclass DEFAULT NULL)
	RETURNS TABLE (key text, score double precision,
		vector_rank bigint, vector_distance double precision,
		text_rank bigint, text_score double precision)
	AS 'MODULE_PATHNAME', 'vs_hybrid_search' LANGUAGE C STABLE PARALLEL RESTRICTED
	COST 10000 ROWS 10;

COMMENT ON FUNCTION hybrid_search(regclass, vector, text, integer, jsonb, text, integer, double precision, double precision, integer, text, regconfig, name, name, text, name, regclass) IS 'best rows by vector distance and BM25 score together';
