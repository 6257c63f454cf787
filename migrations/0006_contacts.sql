-- Contacts get the fields of the calls that fetch and write them, companies, and an index in
-- which they are found by any part of these texts.

-- Companies that contacts work for.
CREATE TABLE entities (
    entity_id  BLOB    PRIMARY KEY CHECK (length(entity_id) = 16),
    org_id     BLOB    NOT NULL REFERENCES orgs,
    name       TEXT    NOT NULL CHECK (name <> ''),
    folded     TEXT    NOT NULL,                    -- the name without regard to case
    website    TEXT,                                -- NULL: not known
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX entities_by_name ON entities (org_id, folded);

-- The name may be unknown from now on, which a column cannot be told later.
ALTER TABLE contacts ADD COLUMN full_name TEXT CHECK (full_name <> '');
UPDATE contacts SET full_name = name;
ALTER TABLE contacts DROP COLUMN name;
ALTER TABLE contacts RENAME COLUMN full_name TO name;

ALTER TABLE contacts RENAME COLUMN email TO primary_email;
ALTER TABLE contacts RENAME COLUMN phone TO primary_phone;
-- NULL: not known
ALTER TABLE contacts ADD COLUMN first_name TEXT;
ALTER TABLE contacts ADD COLUMN last_name TEXT;
ALTER TABLE contacts ADD COLUMN role_label TEXT;
ALTER TABLE contacts ADD COLUMN secondary_email TEXT;
ALTER TABLE contacts ADD COLUMN secondary_phone TEXT;
-- the company; NULL: not known
ALTER TABLE contacts ADD COLUMN entity_id BLOB REFERENCES entities;
-- its row in contact_words; NULL: it cannot be found by any text
ALTER TABLE contacts ADD COLUMN place INTEGER;

-- The numbers by which each organization's contacts are kept together in the index.
CREATE TABLE contact_ranges (
    org_id BLOB    PRIMARY KEY REFERENCES orgs,
    number INTEGER NOT NULL UNIQUE                  -- from 1
) STRICT;

-- What a contact is found by. A change gives the contact a new place behind all others of its
-- organization, so that the one changed last comes first when places are read from the end.
CREATE TABLE contact_words (
    place   INTEGER PRIMARY KEY,     -- number of contact_ranges * 2^40 + 1, 2, …
    contact INTEGER NOT NULL REFERENCES contacts (number),
    words   TEXT    NOT NULL         -- folded; U+0001 around each text, U+0002 around the
                                     -- digits of each telephone number
) STRICT;

-- Whole e-mail addresses, telephone numbers and names, by a hash of kind and text.
CREATE TABLE contact_keys (
    key   INTEGER NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (key, place)
) STRICT, WITHOUT ROWID;

-- The rows of contact_words by every three characters in a row. A rowid is the place with its
-- bits 10 to 39 inverted: the newest rows are looked for first, and FTS5 is fast in ascending
-- order. The program keeps both the same: a trigger must not write a virtual table where the
-- schema is not trusted.
CREATE VIRTUAL TABLE contact_index USING fts5 (
    words, content = '',
    tokenize = 'trigram case_sensitive 1', detail = none, columnsize = 0
);
-- With pages of 4,050 bytes a part of a name took 1.1 times as long.
INSERT INTO contact_index (contact_index, rank) VALUES ('pgsz', 1000);
