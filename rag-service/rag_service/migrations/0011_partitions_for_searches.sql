-- Partitioned tables and indexes have no such settings: the function is for one partition, also for those made later.
CREATE FUNCTION rag_set_up_partition(partition regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    index regclass;
BEGIN
    -- Of a row of more than 2 kB PostgreSQL keeps the longest value elsewhere, which is the vector, where each comparison
    -- then looks it up: so it was of a third of the tweets. A vector that is written anew stays in its row.
    EXECUTE format('ALTER TABLE %s SET (toast_tuple_target = 4080)', partition);
    -- What is new in a GIN index lies in an unsorted list, which every search reads from end to end: of up to 4 MB for
    -- each index, unless it is sorted in more often.
    FOR index IN
        SELECT x.indexrelid FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_am a ON a.oid = c.relam
        WHERE x.indrelid = partition AND a.amname = 'gin'
    LOOP
        EXECUTE format('ALTER INDEX %s SET (gin_pending_list_limit = 128)', index);
    END LOOP;
END $$;

-- In the order in which searches lock them.
LOCK TABLE readable_documents IN ACCESS EXCLUSIVE MODE;
SELECT rag_set_up_partition(inhrelid::regclass) FROM pg_inherits WHERE inhparent = 'documents'::regclass;
ALTER TABLE tenant_documents SET (toast_tuple_target = 4080);
