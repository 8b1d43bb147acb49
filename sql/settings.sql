-- Settings.
--
-- Breaks if a setting takes values that it cannot act on, or if a misspelt one
-- goes unnoticed.

-- The library may not be loaded yet in this session.
SELECT '[1]'::vector;

SHOW vsearch.kernel;
SET vsearch.kernel = 'scalar';
SELECT '[1,2,3]'::vector <-> '[1,2,5]';
SET vsearch.kernel = 'abacus';
SHOW vsearch.kernel;
RESET vsearch.kernel;
SHOW vsearch.kernel;

-- no processor runs all of them; each that runs gives the same sums of integers
DO $$
DECLARE
    kernel text;
    nrefused int := 0;
BEGIN
    FOREACH kernel IN ARRAY ARRAY['auto', 'scalar', 'avx2', 'avx512', 'neon', 'neon_dotprod'] LOOP
        BEGIN
            PERFORM set_config('vsearch.kernel', kernel, true);
            IF array_fill(3, ARRAY[999])::vector <#> array_fill(2, ARRAY[999])::vector <> -5994 THEN
                RAISE EXCEPTION 'kernel % adds up wrongly', kernel;
            END IF;
        EXCEPTION WHEN invalid_parameter_value THEN
            nrefused := nrefused + 1;
        END;
    END LOOP;
    IF nrefused = 0 THEN
        RAISE EXCEPTION 'kernels of other processors are accepted';
    END IF;
END
$$;

SET vsearch.kernal = 'scalar';
SELECT name, setting, context, boot_val, enumvals FROM pg_settings WHERE name LIKE 'vsearch.%' ORDER BY 1;

-- one that was set before the library is loaded keeps its value, and the server
-- finds all others by their names
\c -
SET hnsw.ef_search = 77;
SELECT '[1]'::vector;
SHOW hnsw.ef_search;
RESET hnsw.ef_search;
SHOW hnsw.ef_search;
SELECT name FROM pg_settings WHERE current_setting(name, true) IS NULL;
SHOW HNSW.Iterative_Scan;
