-- The first successful answer to each Idempotency-Key of a developer key, so that a request
-- that is repeated gets that answer again and writes nothing. The note's text is not kept
-- here: a request with the same fingerprint brings it along.
CREATE TABLE idempotency_keys (
    developer_key_id BLOB    NOT NULL REFERENCES developer_keys,
    idempotency_key  TEXT    NOT NULL,              -- as the caller sent it
    org_id           BLOB    NOT NULL REFERENCES orgs,
    fingerprint      BLOB    NOT NULL CHECK (length(fingerprint) = 32), -- of the fields
    note_id          BLOB    NOT NULL REFERENCES notes,
    editable         INTEGER NOT NULL,              -- as it was answered
    visible          INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,              -- rows older than a day may go
    PRIMARY KEY (developer_key_id, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
