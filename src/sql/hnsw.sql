
-- The hnsw access method (src/hnsw, src/index/opclass.c).

CREATE FUNCTION hnswhandler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME', 'vs_hnsw_handler' LANGUAGE C;

COMMENT ON FUNCTION hnswhandler(internal) IS 'hnsw index access method handler';

CREATE ACCESS METHOD hnsw TYPE INDEX HANDLER hnswhandler;

COMMENT ON ACCESS METHOD hnsw IS 'hierarchical navigable small world graph on quantized vectors';

CREATE FUNCTION vector_l2_index_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vs_opclass_vector_l2' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION vector_l2_index_support(internal) IS 'index support: vector by L2 distance';

CREATE FUNCTION vector_ip_index_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vs_opclass_vector_ip' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION vector_ip_index_support(internal) IS 'index support: vector by negative inner product';

CREATE FUNCTION vector_cosine_index_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vs_opclass_vector_cosine' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION vector_cosine_index_support(internal) IS 'index support: vector by cosine distance';

CREATE FUNCTION vector_l1_index_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vs_opclass_vector_l1' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION vector_l1_index_support(internal) IS 'index support: vector by L1 distance';

CREATE OPERATOR CLASS vector_l2_ops
	FOR TYPE vector USING hnsw AS
	OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops,
	FUNCTION 1 vector_l2_index_support(internal);

COMMENT ON OPERATOR CLASS vector_l2_ops USING hnsw IS 'nearest vectors by L2 distance';

CREATE OPERATOR CLASS vector_ip_ops
	FOR TYPE vector USING hnsw AS
	OPERATOR 1 <#> (vector, vector) FOR ORDER BY float_ops,
	FUNCTION 1 vector_ip_index_support(internal);

COMMENT ON OPERATOR CLASS vector_ip_ops USING hnsw IS 'nearest vectors by negative inner product';

CREATE OPERATOR CLASS vector_cosine_ops
	FOR TYPE vector USING hnsw AS
	OPERATOR 1 <=> (vector, vector) FOR ORDER BY float_ops,
	FUNCTION 1 vector_cosine_index_support(internal);

COMMENT ON OPERATOR CLASS vector_cosine_ops USING hnsw IS 'nearest vectors by cosine distance';

CREATE OPERATOR CLASS vector_l1_ops
	FOR TYPE vector USING hnsw AS
	OPERATOR 1 <+> (vector, vector) FOR ORDER BY float_ops,
	FUNCTION 1 vector_l1_index_support(internal);

COMMENT ON OPERATOR CLASS vector_l1_ops USING hnsw IS 'nearest vectors by L1 distance';

COMMENT ON OPERATOR FAMILY vector_l2_ops USING hnsw IS 'nearest vectors by L2 distance';
COMMENT ON OPERATOR FAMILY vector_ip_ops USING hnsw IS 'nearest vectors by negative inner product';
COMMENT ON OPERATOR FAMILY vector_cosine_ops USING hnsw IS 'nearest vectors by cosine distance';
COMMENT ON OPERATOR FAMILY vector_l1_ops USING hnsw IS 'nearest vectors by L1 distance';
