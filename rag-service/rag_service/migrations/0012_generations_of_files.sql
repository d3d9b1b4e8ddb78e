-- A file that is erased and sent again has the same id, made of its content: what is read of the one is none of the other.
ALTER TABLE files ADD COLUMN generation bigint GENERATED ALWAYS AS IDENTITY;

-- Passages that were stored while their file was erased, or before it failed.
SELECT set_config('rag.tenant', '*', true);
DELETE FROM tenant_documents d WHERE d.origin = 'file' AND NOT EXISTS (
    SELECT 1 FROM files f WHERE f.tenant = d.tenant AND f.id = left(d.id, length(d.id) - 6) AND f.state <> 'failed');
UPDATE files SET stored = 0 WHERE state = 'failed';
