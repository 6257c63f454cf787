-- What is kept with an idempotency key no longer depends on the call: the result of its command
-- as bytes. That of adding a note: the note's id, then a byte each for editable and visible.
CREATE TABLE idempotency_answers (
    developer_key_id BLOB    NOT NULL REFERENCES developer_keys,
    idempotency_key  TEXT    NOT NULL,              -- as the caller sent it
    org_id           BLOB    NOT NULL REFERENCES orgs,
    fingerprint      BLOB    NOT NULL CHECK (length(fingerprint) = 32), -- of the fields
    answer           BLOB    NOT NULL CHECK (length(answer) <= 64),
    created_at       INTEGER NOT NULL,              -- rows older than a day may go
    PRIMARY KEY (developer_key_id, idempotency_key)
) STRICT, WITHOUT ROWID;
INSERT INTO idempotency_answers
    SELECT developer_key_id, idempotency_key, org_id, fingerprint,
           CAST(note_id || CASE editable WHEN 0 THEN x'00' ELSE x'01' END
                        || CASE visible WHEN 0 THEN x'00' ELSE x'01' END AS BLOB),
           created_at
    FROM idempotency_keys;
DROP TABLE idempotency_keys;
ALTER TABLE idempotency_answers RENAME TO idempotency_keys;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
