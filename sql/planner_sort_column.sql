-- A distance that only orders is not computed where an index orders.
--
-- Fails when a plan fetches vectors for a column that it drops, or, worse, drops
-- a column that something reads.

-- Long enough to be toasted.
CREATE FUNCTION long_vector(x float, y float) RETURNS vector
    STABLE COST 1 LANGUAGE plpgsql
    AS $$ BEGIN RETURN ARRAY[x, y] || array_fill(0::float, ARRAY[598]); END $$;
CREATE TABLE sorted (id int PRIMARY KEY, label int, v vector(600));
INSERT INTO sorted SELECT i, i % 7, long_vector(i, i % 10)
    FROM generate_series(1, 3000) i;
CREATE INDEX sorted_idx ON sorted USING hnsw (v vector_l2_ops);
CREATE TABLE sorted_target (id int);
VACUUM ANALYZE sorted;

-- What a plan's nodes put out, and whether the distance is among it.
CREATE FUNCTION outputs(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF, VERBOSE) ' || query LOOP
        IF line ~ 'Scan|Sort|Limit|Lock|Append|Insert' AND line !~ 'Sort Key' THEN
            RETURN NEXT regexp_replace(line, '^[ >-]+', '');
        ELSIF line ~ 'Output' THEN
            RETURN NEXT regexp_replace(line, '^ +', '  ');
        END IF;
    END LOOP;
END
$$;

-- Nobody reads it.
SELECT outputs('SELECT id FROM sorted ORDER BY v <-> long_vector(7.2, 7) LIMIT 3');
SELECT outputs('SELECT id, label FROM sorted WHERE label > 2
    ORDER BY long_vector(7.2, 7) <-> v LIMIT 3 OFFSET 2');
SELECT outputs('SELECT id, v <-> long_vector(0.2, 0) AS other FROM sorted
    ORDER BY v <-> long_vector(7.2, 7) LIMIT 3');
SELECT outputs('SELECT id FROM sorted ORDER BY v <-> long_vector(7.2, 7) LIMIT 3
    FOR UPDATE');
SELECT outputs('SELECT count(*) FROM (SELECT id FROM sorted
    ORDER BY v <-> long_vector(7.2, 7) LIMIT 3) s');
SELECT outputs('SELECT label FROM sorted WHERE id IN (SELECT id FROM sorted
    ORDER BY v <-> long_vector(7.2, 7) LIMIT 3)');
SELECT outputs('INSERT INTO sorted_target SELECT id FROM sorted
    ORDER BY v <-> long_vector(7.2, 7) LIMIT 3');
SELECT outputs('(SELECT id FROM sorted ORDER BY v <-> long_vector(7.2, 7) LIMIT 3)
    UNION ALL (SELECT id FROM sorted ORDER BY v <-> long_vector(9.2, 9) LIMIT 3)');
SELECT outputs('DECLARE c CURSOR FOR SELECT id FROM sorted
    ORDER BY v <-> long_vector(7.2, 7)');

-- Somebody does.
SELECT outputs('SELECT id, v <-> long_vector(7.2, 7) AS distance FROM sorted
    ORDER BY distance LIMIT 3');
SELECT outputs('SELECT id FROM sorted ORDER BY v <-> long_vector(7.2, 7)
    FETCH FIRST 3 ROWS WITH TIES');
-- Plans of these differ between versions of the server.
SELECT bool_or(line ~ '<->') AS computed FROM outputs(
    'SELECT id FROM sorted ORDER BY v <-> long_vector(7.2, 7), id LIMIT 3') line;
SELECT bool_or(line ~ '<->') AS computed FROM outputs(
    'SELECT s.id FROM (SELECT id, v <-> long_vector(7.2, 7) AS distance
    FROM sorted ORDER BY distance LIMIT 3) s ORDER BY s.distance DESC') line;
SELECT id FROM sorted ORDER BY v <-> long_vector(7.2, 7), id LIMIT 3;
SELECT s.id FROM (SELECT id, v <-> long_vector(7.2, 7) AS distance
    FROM sorted ORDER BY distance LIMIT 3) s ORDER BY s.distance DESC;
SET enable_indexscan = off;
SELECT outputs('SELECT id FROM sorted ORDER BY v <-> long_vector(7.2, 7) LIMIT 3');
RESET enable_indexscan;

-- Partitions are merged by it.
CREATE TABLE parted (id int, v vector(600)) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (1) TO (1501);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (1501) TO (3001);
INSERT INTO parted SELECT id, v FROM sorted;
CREATE INDEX ON parted USING hnsw (v vector_l2_ops);
VACUUM ANALYZE parted;
SELECT outputs('SELECT id FROM parted ORDER BY v <-> long_vector(1500.2, 1) LIMIT 3');
SELECT id FROM parted ORDER BY v <-> long_vector(1500.2, 1) LIMIT 4;

-- A connection's first statement, and a generic plan.
\c -
EXPLAIN (COSTS OFF, VERBOSE)
SELECT id FROM sorted ORDER BY v <-> long_vector(7.2, 7) LIMIT 3;
SET plan_cache_mode = force_generic_plan;
PREPARE nearest(vector, int) AS
    SELECT id FROM sorted ORDER BY v <-> $1 LIMIT $2;
EXPLAIN (COSTS OFF, VERBOSE) EXECUTE nearest(long_vector(7.2, 7), 3);
EXECUTE nearest(long_vector(7.2, 7), 3);
DEALLOCATE nearest;
RESET plan_cache_mode;

-- The answers are those of a sort.
SELECT id FROM sorted ORDER BY v <-> long_vector(7.2, 7) LIMIT 5;
SELECT id FROM sorted ORDER BY v <-> long_vector(7.2, 7) LIMIT 5 FOR UPDATE;
SELECT id FROM sorted ORDER BY v <-> long_vector(7.2, 7) FETCH FIRST 5 ROWS WITH TIES;
SELECT label FROM sorted WHERE id IN
    (SELECT id FROM sorted ORDER BY v <-> long_vector(7.2, 7) LIMIT 3) ORDER BY id;
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT id FROM sorted ORDER BY v <-> long_vector(7.2, 7);
FETCH 3 FROM c;
FETCH BACKWARD 2 FROM c;
COMMIT;
INSERT INTO sorted_target SELECT id FROM sorted
    ORDER BY v <-> long_vector(7.2, 7) LIMIT 3 RETURNING id;
SET enable_indexscan = off;
SELECT id FROM sorted ORDER BY v <-> long_vector(7.2, 7) LIMIT 5;

DROP TABLE sorted, sorted_target, parted;
DROP FUNCTION outputs, long_vector;
