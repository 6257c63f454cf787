-- Secrets can be replaced while the former ones still work for a time, keys tell from where
-- they were used last, and a key file that is not the right one is noticed.

-- The texts that API keys had before they were rotated. They stay when their time is over,
-- so that none of them is ever issued again.
CREATE TABLE former_api_keys (
    hash        BLOB    PRIMARY KEY CHECK (length(hash) = 32), -- in no row of api_keys
    api_key_id  BLOB    NOT NULL REFERENCES api_keys,          -- the key that had it
    org_id      BLOB    NOT NULL REFERENCES orgs,              -- whose key that is
    replaced_at INTEGER NOT NULL,                              -- when another took its place
    good_until  INTEGER NOT NULL                               -- 0: it was ended at once
) STRICT, WITHOUT ROWID;
CREATE INDEX former_api_keys_by_key ON former_api_keys (api_key_id, good_until);

-- The same for the secrets of developer keys.
CREATE TABLE former_developer_secrets (
    hash             BLOB    PRIMARY KEY CHECK (length(hash) = 32), -- in no developer_keys
    developer_key_id BLOB    NOT NULL REFERENCES developer_keys,    -- the key that had it
    org_id           BLOB    NOT NULL REFERENCES orgs,              -- whose key that is
    replaced_at      INTEGER NOT NULL,                              -- when another took its place
    good_until       INTEGER NOT NULL                               -- 0: it was ended at once
) STRICT, WITHOUT ROWID;
CREATE INDEX former_developer_secrets_by_key
    ON former_developer_secrets (developer_key_id, good_until);

-- The client's address at last_used_at, 4 or 16 bytes; NULL: not known.
ALTER TABLE api_keys
    ADD COLUMN last_used_from BLOB CHECK (length(last_used_from) IN (4, 16));

-- The same for developer keys.
ALTER TABLE developer_keys
    ADD COLUMN last_used_from BLOB CHECK (length(last_used_from) IN (4, 16));

-- By what the key file is recognized with which all hashes were made: one row.
CREATE TABLE key_mark (
    place     INTEGER PRIMARY KEY CHECK (place = 1),       -- there is no second row
    mark      BLOB    NOT NULL CHECK (length(mark) = 32),  -- hash of a fixed text under the key
    marked_at INTEGER NOT NULL                             -- when the mark was made
) STRICT;

-- The audit is read by time, of all or of one organization.
CREATE INDEX audit_by_time ON audit (at, audit_id);
CREATE INDEX audit_by_org ON audit (org_id, at, audit_id);
