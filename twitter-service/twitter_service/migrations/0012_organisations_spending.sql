-- What each organisation has spent on X, and what it has reserved; what is from before organisations is the platform's.
CREATE TABLE x_organisation_spending (
    day       date NOT NULL,
    purpose   text NOT NULL,
    org       text NOT NULL,
    posts     bigint NOT NULL,
    micro_usd bigint NOT NULL,
    PRIMARY KEY (day, purpose, org)
);
INSERT INTO x_organisation_spending
SELECT day, purpose, 'default', sum(posts), sum(micro_usd) FROM x_spending GROUP BY day, purpose;

ALTER TABLE x_reservations ADD COLUMN org text NOT NULL DEFAULT 'default';
