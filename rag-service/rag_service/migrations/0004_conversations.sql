-- A conversation is its owner's alone: row level security compares organisation and caller.
CREATE TABLE conversations (
    id         uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant     text        NOT NULL CHECK (tenant <> ''),
    owner      text        NOT NULL CHECK (owner <> ''),
    title      text        NOT NULL,
    turns      integer     NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX conversations_owner ON conversations (tenant, owner, created_at DESC, id);

CREATE TABLE conversation_turns (
    conversation uuid        NOT NULL REFERENCES conversations ON DELETE CASCADE,
    number       integer     NOT NULL,
    question     text        NOT NULL,
    standalone   text        NOT NULL,
    answer       jsonb       NOT NULL,
    asked_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (conversation, number)
);

ALTER TABLE conversations ENABLE ROW LEVEL SECURITY;
ALTER TABLE conversations FORCE ROW LEVEL SECURITY;
CREATE POLICY of_the_owner ON conversations
    USING (tenant = current_setting('rag.tenant', true) AND owner = current_setting('rag.subject', true));

ALTER TABLE conversation_turns ENABLE ROW LEVEL SECURITY;
ALTER TABLE conversation_turns FORCE ROW LEVEL SECURITY;
CREATE POLICY of_the_owner ON conversation_turns
    USING (EXISTS (SELECT 1 FROM conversations c WHERE c.id = conversation));
