
-- The vector type

CREATE TYPE vector;

CREATE FUNCTION vector_in(cstring, oid, integer)
    RETURNS vector AS 'MODULE_PATHNAME', 'vs_vector_in'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_in(cstring, oid, integer)
    IS 'I/O';

CREATE FUNCTION vector_out(vector)
    RETURNS cstring AS 'MODULE_PATHNAME', 'vs_vector_out'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_out(vector)
    IS 'I/O';

CREATE FUNCTION vector_typmod_in(cstring[])
    RETURNS integer AS 'MODULE_PATHNAME', 'vs_vector_typmod_in'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_typmod_in(cstring[])
    IS 'I/O typmod';

CREATE FUNCTION vector_recv(internal, oid, integer)
    RETURNS vector AS 'MODULE_PATHNAME', 'vs_vector_recv'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_recv(internal, oid, integer)
    IS 'I/O';

CREATE FUNCTION vector_send(vector)
    RETURNS bytea AS 'MODULE_PATHNAME', 'vs_vector_send'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_send(vector)
    IS 'I/O';

CREATE TYPE vector (
    INPUT = vector_in,
    OUTPUT = vector_out,
    TYPMOD_IN = vector_typmod_in,
    RECEIVE = vector_recv,
    SEND = vector_send,
    STORAGE = external
);
COMMENT ON TYPE vector
    IS 'vector of 1 to 16000 real numbers, ''[1,2,3]''';

-- Distances.  The planner learns their cost from the support function, where
-- the number of dimensions is declared.  COST holds where it is not: between
-- the 12 operators that 128 dimensions take and the 490 of 1536, toasted.

CREATE FUNCTION vector_distance_support(internal)
    RETURNS internal AS 'MODULE_PATHNAME', 'vs_vector_distance_support'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_distance_support(internal)
    IS 'planner support for the distances';

CREATE FUNCTION l2_distance(vector, vector)
    RETURNS double precision AS 'MODULE_PATHNAME', 'vs_vector_l2_distance'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    COST 100 SUPPORT vector_distance_support;
COMMENT ON FUNCTION l2_distance(vector, vector)
    IS 'Euclidean distance';

CREATE FUNCTION inner_product(vector, vector)
    RETURNS double precision AS 'MODULE_PATHNAME', 'vs_vector_inner_product'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    COST 100 SUPPORT vector_distance_support;
COMMENT ON FUNCTION inner_product(vector, vector)
    IS 'inner product';

CREATE FUNCTION cosine_distance(vector, vector)
    RETURNS double precision AS 'MODULE_PATHNAME', 'vs_vector_cosine_distance'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    COST 100 SUPPORT vector_distance_support;
COMMENT ON FUNCTION cosine_distance(vector, vector)
    IS 'cosine distance, NaN for a zero vector';

CREATE FUNCTION l1_distance(vector, vector)
    RETURNS double precision AS 'MODULE_PATHNAME', 'vs_vector_l1_distance'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    COST 100 SUPPORT vector_distance_support;
COMMENT ON FUNCTION l1_distance(vector, vector)
    IS 'taxicab distance';

CREATE FUNCTION vector_l2_squared_distance(vector, vector)
    RETURNS double precision AS 'MODULE_PATHNAME', 'vs_vector_l2_squared_distance'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    COST 100 SUPPORT vector_distance_support;
COMMENT ON FUNCTION vector_l2_squared_distance(vector, vector)
    IS 'squared Euclidean distance, for operator classes';

CREATE FUNCTION vector_negative_inner_product(vector, vector)
    RETURNS double precision AS 'MODULE_PATHNAME', 'vs_vector_negative_inner_product'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    COST 100 SUPPORT vector_distance_support;
COMMENT ON FUNCTION vector_negative_inner_product(vector, vector)
    IS 'implementation of <#> operator';

CREATE FUNCTION vector_spherical_distance(vector, vector)
    RETURNS double precision AS 'MODULE_PATHNAME', 'vs_vector_spherical_distance'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    COST 100 SUPPORT vector_distance_support;
COMMENT ON FUNCTION vector_spherical_distance(vector, vector)
    IS 'angle between unit vectors as a share of pi, for operator classes';

-- Functions of a vector

CREATE FUNCTION vector_dims(vector)
    RETURNS integer AS 'MODULE_PATHNAME', 'vs_vector_dims'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_dims(vector)
    IS 'number of dimensions';

CREATE FUNCTION vector_norm(vector)
    RETURNS double precision AS 'MODULE_PATHNAME', 'vs_vector_norm'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_norm(vector)
    IS 'Euclidean norm';

CREATE FUNCTION l2_normalize(vector)
    RETURNS vector AS 'MODULE_PATHNAME', 'vs_vector_l2_normalize'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION l2_normalize(vector)
    IS 'vector of the same direction with norm 1, zero for a zero vector';

CREATE FUNCTION binary_quantize(vector)
    RETURNS bit AS 'MODULE_PATHNAME', 'vs_vector_binary_quantize'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION binary_quantize(vector)
    IS 'one bit a dimension, set where the element is positive';

CREATE FUNCTION subvector(vector, integer, integer)
    RETURNS vector AS 'MODULE_PATHNAME', 'vs_vector_subvector'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION subvector(vector, integer, integer)
    IS 'elements from a position (1 is the first) on, as many as given';

-- Arithmetic

CREATE FUNCTION vector_add(vector, vector)
    RETURNS vector AS 'MODULE_PATHNAME', 'vs_vector_add'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_add(vector, vector)
    IS 'implementation of + operator';

CREATE FUNCTION vector_sub(vector, vector)
    RETURNS vector AS 'MODULE_PATHNAME', 'vs_vector_sub'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_sub(vector, vector)
    IS 'implementation of - operator';

CREATE FUNCTION vector_mul(vector, vector)
    RETURNS vector AS 'MODULE_PATHNAME', 'vs_vector_mul'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_mul(vector, vector)
    IS 'implementation of * operator';

CREATE FUNCTION vector_concat(vector, vector)
    RETURNS vector AS 'MODULE_PATHNAME', 'vs_vector_concat'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_concat(vector, vector)
    IS 'implementation of || operator';

-- Comparison

CREATE FUNCTION vector_lt(vector, vector)
    RETURNS boolean AS 'MODULE_PATHNAME', 'vs_vector_lt'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_lt(vector, vector)
    IS 'implementation of < operator';

CREATE FUNCTION vector_le(vector, vector)
    RETURNS boolean AS 'MODULE_PATHNAME', 'vs_vector_le'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_le(vector, vector)
    IS 'implementation of <= operator';

CREATE FUNCTION vector_eq(vector, vector)
    RETURNS boolean AS 'MODULE_PATHNAME', 'vs_vector_eq'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_eq(vector, vector)
    IS 'implementation of = operator';

CREATE FUNCTION vector_ne(vector, vector)
    RETURNS boolean AS 'MODULE_PATHNAME', 'vs_vector_ne'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_ne(vector, vector)
    IS 'implementation of <> operator';

CREATE FUNCTION vector_ge(vector, vector)
    RETURNS boolean AS 'MODULE_PATHNAME', 'vs_vector_ge'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_ge(vector, vector)
    IS 'implementation of >= operator';

CREATE FUNCTION vector_gt(vector, vector)
    RETURNS boolean AS 'MODULE_PATHNAME', 'vs_vector_gt'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_gt(vector, vector)
    IS 'implementation of > operator';

CREATE FUNCTION vector_cmp(vector, vector)
    RETURNS integer AS 'MODULE_PATHNAME', 'vs_vector_cmp'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_cmp(vector, vector)
    IS 'less-equal-greater';

-- Aggregates

CREATE FUNCTION vector_accum(double precision[], vector)
    RETURNS double precision[] AS 'MODULE_PATHNAME', 'vs_vector_accum'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_accum(double precision[], vector)
    IS 'aggregate transition function';

CREATE FUNCTION vector_combine(double precision[], double precision[])
    RETURNS double precision[] AS 'MODULE_PATHNAME', 'vs_vector_combine'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_combine(double precision[], double precision[])
    IS 'aggregate combine function';

CREATE FUNCTION vector_avg(double precision[])
    RETURNS vector AS 'MODULE_PATHNAME', 'vs_vector_avg'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_avg(double precision[])
    IS 'aggregate final function';

CREATE AGGREGATE avg(vector) (
    SFUNC = vector_accum,
    STYPE = double precision[],
    INITCOND = '{0}',
    FINALFUNC = vector_avg,
    COMBINEFUNC = vector_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE avg(vector)
    IS 'average of the vectors, element by element';

CREATE AGGREGATE sum(vector) (
    SFUNC = vector_add,
    STYPE = vector,
    COMBINEFUNC = vector_add,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE sum(vector)
    IS 'sum of the vectors, element by element';

-- Casts

CREATE FUNCTION vector(vector, integer, boolean)
    RETURNS vector AS 'MODULE_PATHNAME', 'vs_vector_coerce'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector(vector, integer, boolean)
    IS 'check a vector against a number of dimensions';

CREATE FUNCTION array_to_vector(integer[], integer, boolean)
    RETURNS vector AS 'MODULE_PATHNAME', 'vs_vector_from_array'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_vector(integer[], integer, boolean)
    IS 'convert array to vector';

CREATE FUNCTION array_to_vector(real[], integer, boolean)
    RETURNS vector AS 'MODULE_PATHNAME', 'vs_vector_from_array'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_vector(real[], integer, boolean)
    IS 'convert array to vector';

CREATE FUNCTION array_to_vector(double precision[], integer, boolean)
    RETURNS vector AS 'MODULE_PATHNAME', 'vs_vector_from_array'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_vector(double precision[], integer, boolean)
    IS 'convert array to vector';

CREATE FUNCTION array_to_vector(numeric[], integer, boolean)
    RETURNS vector AS 'MODULE_PATHNAME', 'vs_vector_from_array'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_vector(numeric[], integer, boolean)
    IS 'convert array to vector';

CREATE FUNCTION vector_to_float4(vector, integer, boolean)
    RETURNS real[] AS 'MODULE_PATHNAME', 'vs_vector_to_float4'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vector_to_float4(vector, integer, boolean)
    IS 'convert vector to array';

CREATE CAST (vector AS vector)
    WITH FUNCTION vector(vector, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (vector AS vector)
    IS 'an error unless the number of dimensions is the one asked for';

CREATE CAST (vector AS real[])
    WITH FUNCTION vector_to_float4(vector, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (vector AS real[])
    IS 'vector to array';

CREATE CAST (integer[] AS vector)
    WITH FUNCTION array_to_vector(integer[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (integer[] AS vector)
    IS 'array to vector, rounding to real';

CREATE CAST (real[] AS vector)
    WITH FUNCTION array_to_vector(real[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (real[] AS vector)
    IS 'array to vector, rounding to real';

CREATE CAST (double precision[] AS vector)
    WITH FUNCTION array_to_vector(double precision[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (double precision[] AS vector)
    IS 'array to vector, rounding to real';

CREATE CAST (numeric[] AS vector)
    WITH FUNCTION array_to_vector(numeric[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (numeric[] AS vector)
    IS 'array to vector, rounding to real';

-- Operators

CREATE OPERATOR <-> (
    LEFTARG = vector, RIGHTARG = vector,
    FUNCTION = l2_distance,
    COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (vector, vector)
    IS 'Euclidean distance';

CREATE OPERATOR <#> (
    LEFTARG = vector, RIGHTARG = vector,
    FUNCTION = vector_negative_inner_product,
    COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (vector, vector)
    IS 'negative inner product';

CREATE OPERATOR <=> (
    LEFTARG = vector, RIGHTARG = vector,
    FUNCTION = cosine_distance,
    COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (vector, vector)
    IS 'cosine distance';

CREATE OPERATOR <+> (
    LEFTARG = vector, RIGHTARG = vector,
    FUNCTION = l1_distance,
    COMMUTATOR = <+>
);
COMMENT ON OPERATOR <+> (vector, vector)
    IS 'taxicab distance';

CREATE OPERATOR + (
    LEFTARG = vector, RIGHTARG = vector,
    FUNCTION = vector_add,
    COMMUTATOR = +
);
COMMENT ON OPERATOR + (vector, vector)
    IS 'add element by element';

CREATE OPERATOR - (
    LEFTARG = vector, RIGHTARG = vector,
    FUNCTION = vector_sub
);
COMMENT ON OPERATOR - (vector, vector)
    IS 'subtract element by element';

CREATE OPERATOR * (
    LEFTARG = vector, RIGHTARG = vector,
    FUNCTION = vector_mul,
    COMMUTATOR = *
);
COMMENT ON OPERATOR * (vector, vector)
    IS 'multiply element by element';

CREATE OPERATOR || (
    LEFTARG = vector, RIGHTARG = vector,
    FUNCTION = vector_concat
);
COMMENT ON OPERATOR || (vector, vector)
    IS 'concatenate';

CREATE OPERATOR < (
    LEFTARG = vector, RIGHTARG = vector,
    FUNCTION = vector_lt,
    COMMUTATOR = >, NEGATOR = >=,
    RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (vector, vector)
    IS 'less than';

CREATE OPERATOR <= (
    LEFTARG = vector, RIGHTARG = vector,
    FUNCTION = vector_le,
    COMMUTATOR = >=, NEGATOR = >,
    RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (vector, vector)
    IS 'less than or equal';

CREATE OPERATOR = (
    LEFTARG = vector, RIGHTARG = vector,
    FUNCTION = vector_eq,
    COMMUTATOR = =, NEGATOR = <>,
    RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR = (vector, vector)
    IS 'equal';

CREATE OPERATOR <> (
    LEFTARG = vector, RIGHTARG = vector,
    FUNCTION = vector_ne,
    COMMUTATOR = <>, NEGATOR = =,
    RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR <> (vector, vector)
    IS 'not equal';

CREATE OPERATOR >= (
    LEFTARG = vector, RIGHTARG = vector,
    FUNCTION = vector_ge,
    COMMUTATOR = <=, NEGATOR = <,
    RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (vector, vector)
    IS 'greater than or equal';

CREATE OPERATOR > (
    LEFTARG = vector, RIGHTARG = vector,
    FUNCTION = vector_gt,
    COMMUTATOR = <, NEGATOR = <=,
    RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (vector, vector)
    IS 'greater than';

-- btree, for GROUP BY, DISTINCT and unique constraints

CREATE OPERATOR CLASS vector_ops
    DEFAULT FOR TYPE vector USING btree AS
    OPERATOR 1 <,
    OPERATOR 2 <=,
    OPERATOR 3 =,
    OPERATOR 4 >=,
    OPERATOR 5 >,
    FUNCTION 1 vector_cmp(vector, vector);
COMMENT ON OPERATOR CLASS vector_ops USING btree
    IS 'order by the first elements that differ, then by dimensions';
COMMENT ON OPERATOR FAMILY vector_ops USING btree
    IS 'vectors in order of their elements';
