-- The audit keeps no names, e-mail addresses and telephone numbers of people: the id of the subject
-- says whom a change was about. What it has kept is taken away by making the table anew, so that
-- the pages of the former one, with all that was ever written to them, are filled with zeros.
PRAGMA secure_delete = ON;

-- What operators changed with crmnotesctl.
CREATE TABLE new_audit (
    audit_id BLOB    PRIMARY KEY CHECK (length(audit_id) = 16),
    at       INTEGER NOT NULL,
    actor    TEXT    NOT NULL,                      -- the operating system's user
    action   TEXT    NOT NULL,                      -- noun and verb, as typed
    org_id   BLOB    REFERENCES orgs,               -- NULL: of no organization
    subject  BLOB,                                  -- the id of what was changed
    detail   TEXT    NOT NULL -- JSON; no secret, no note's text, and true for what is personal
) STRICT;
INSERT INTO new_audit
    SELECT audit_id, at, actor, action, org_id, subject,
           CASE WHEN action NOT IN ('member add', 'contact add', 'apikey issue', 'devkey issue')
                THEN detail
                WHEN json_valid(detail)
                THEN json_replace(detail, '$.NAME', json('true'), '$."--email"', json('true'),
                                  '$."--phone"', json('true'), '$."--label"', json('true'))
                ELSE '{}' -- another program has changed it
           END
    FROM audit ORDER BY rowid;
DROP TABLE audit;
ALTER TABLE new_audit RENAME TO audit;
CREATE INDEX audit_by_time ON audit (at, audit_id);
CREATE INDEX audit_by_org ON audit (org_id, at, audit_id);
