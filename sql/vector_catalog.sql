-- What the type declares: names, signatures, attributes.
--
-- Breaks if an object that applications or ORMs look for is missing or has
-- another signature, volatility, cast context or comment-less description.

SELECT typlen, typalign, typstorage, typcategory, typmodin::text, typmodout::text,
    typanalyze::text, typsubscript::text, typdelim
FROM pg_type WHERE oid = 'vector'::regtype;

CREATE TEMP VIEW functions AS
    SELECT p.* FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass
        AND d.objid = p.oid AND d.deptype = 'e' AND d.refobjid =
            (SELECT oid FROM pg_extension WHERE extname = 'vsearch')
    WHERE NOT p.proretset AND ('vector'::regtype IN (p.prorettype)
        OR 'vector'::regtype = ANY (p.proargtypes) OR p.proname LIKE 'vector\_%');
SELECT oid::regprocedure AS function, prorettype::regtype AS result
FROM functions ORDER BY oid::regprocedure::text COLLATE "C";
-- all alike
SELECT provolatile, proisstrict, proparallel, prokind, count(*) > 0 AS some
FROM functions GROUP BY 1, 2, 3, 4 ORDER BY prokind, proisstrict;

SELECT castsource::regtype, casttarget::regtype, castfunc::regprocedure, castcontext
FROM pg_cast
WHERE 'vector'::regtype IN (castsource, casttarget)
    AND NOT (castsource::regtype::text ~ 'halfvec|sparsevec')
    AND NOT (casttarget::regtype::text ~ 'halfvec|sparsevec')
ORDER BY castcontext, castsource::regtype::text COLLATE "C",
    casttarget::regtype::text COLLATE "C";

SELECT opcname, amname, opcdefault FROM pg_opclass JOIN pg_am a ON a.oid = opcmethod
WHERE opcintype = 'vector'::regtype AND amname = 'btree';

SELECT aggfnoid, aggtransfn, aggfinalfn, aggcombinefn, aggtranstype::regtype, agginitval
FROM pg_aggregate WHERE aggfnoid IN ('avg(vector)'::regprocedure, 'sum(vector)'::regprocedure)
ORDER BY 1;

-- every object of the extension has a comment
SELECT pg_describe_object(classid, objid, objsubid) AS without_comment
FROM pg_depend
WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass
    AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'vsearch')
    AND NOT (classid = 'pg_type'::regclass AND
        objid IN (SELECT typarray FROM pg_type))
    AND obj_description(objid, classid::regclass::name) IS NULL
ORDER BY 1;
