
-- The ivfflat access method (src/ivf, src/index/opclass.c).

CREATE FUNCTION ivfflathandler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME', 'vs_ivf_handler' LANGUAGE C;

COMMENT ON FUNCTION ivfflathandler(internal) IS 'ivfflat index access method handler';

CREATE ACCESS METHOD ivfflat TYPE INDEX HANDLER ivfflathandler;

COMMENT ON ACCESS METHOD ivfflat IS 'inverted lists of quantized vectors';

CREATE OPERATOR CLASS vector_l2_ops
	DEFAULT FOR TYPE vector USING ivfflat AS
	OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops,
	FUNCTION 1 vector_l2_index_support(internal);

COMMENT ON OPERATOR CLASS vector_l2_ops USING ivfflat IS 'nearest vectors by L2 distance';

CREATE OPERATOR CLASS vector_ip_ops
	FOR TYPE vector USING ivfflat AS
	OPERATOR 1 <#> (vector, vector) FOR ORDER BY float_ops,
	FUNCTION 1 vector_ip_index_support(internal);

COMMENT ON OPERATOR CLASS vector_ip_ops USING ivfflat IS 'nearest vectors by negative inner product';

CREATE OPERATOR CLASS vector_cosine_ops
	FOR TYPE vector USING ivfflat AS
	OPERATOR 1 <=> (vector, vector) FOR ORDER BY float_ops,
	FUNCTION 1 vector_cosine_index_support(internal);

COMMENT ON OPERATOR CLASS vector_cosine_ops USING ivfflat IS 'nearest vectors by cosine distance';

COMMENT ON OPERATOR FAMILY vector_l2_ops USING ivfflat IS 'nearest vectors by L2 distance';
COMMENT ON OPERATOR FAMILY vector_ip_ops USING ivfflat IS 'nearest vectors by negative inner product';
COMMENT ON OPERATOR FAMILY vector_cosine_ops USING ivfflat IS 'nearest vectors by cosine distance';
