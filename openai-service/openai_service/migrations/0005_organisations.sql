-- Calls and budgets belong to an organisation. Rows without one, from before and of what services do by themselves, are the
-- platform's, whose organisation is 'default'.
ALTER TABLE calls ADD COLUMN org text;
COMMENT ON COLUMN calls.org IS 'Of the user who called, or for whom a service called; NULL: the platform.';
COMMENT ON COLUMN budget_accounts.account IS 'total, org:<id>, tenant:<principal> or service:<name>.';

CREATE INDEX calls_by_org ON calls ((coalesce(org, 'default')), called_at);
