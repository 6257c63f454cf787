-- The notes of a contact, and the versions of a note, are found along chains instead of
-- indexes. An index by contact has a page for every few notes, in which each new note belongs
-- to any one, so that it doubled what a note costs the disk, and ever more as notes were added.
-- The end of a contact's chain is a small row, and stays where it is.

-- The people whom an organization knows; one member owns each.
CREATE TABLE new_contacts (
    number     INTEGER PRIMARY KEY,                 -- in the order in which they were stored
    contact_id BLOB    NOT NULL UNIQUE CHECK (length(contact_id) = 16),
    org_id     BLOB    NOT NULL REFERENCES orgs,
    owner_id   BLOB    NOT NULL REFERENCES members, -- of the same organization
    name       TEXT    NOT NULL CHECK (name <> ''),
    email      TEXT,                                -- NULL: not known
    phone      TEXT,                                -- NULL: not known
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
INSERT INTO new_contacts
    (contact_id, org_id, owner_id, name, email, phone, created_at, updated_at)
    SELECT contact_id, org_id, owner_id, name, email, phone, created_at, updated_at
    FROM contacts ORDER BY rowid;

-- Notes as they are now. The columns from written_by on tell of the present version.
CREATE TABLE new_notes (
    number           INTEGER PRIMARY KEY,           -- in the order in which they were stored
    note_id          BLOB    NOT NULL UNIQUE CHECK (length(note_id) = 16),
    org_id           BLOB    NOT NULL REFERENCES orgs,
    contact_id       BLOB    NOT NULL REFERENCES new_contacts (contact_id),
    author_id        BLOB    NOT NULL REFERENCES members, -- who made the note; never changes
    created_at       INTEGER NOT NULL,
    previous         INTEGER NOT NULL DEFAULT 0, -- number of the contact's note before; 0: none
    former           INTEGER NOT NULL DEFAULT 0, -- number in note_revisions; 0: none
    version          INTEGER NOT NULL CHECK (version >= 1),
    editable         INTEGER NOT NULL CHECK (editable IN (0, 1)), -- by other members
    visible          INTEGER NOT NULL CHECK (visible IN (0, 1)),  -- to other members
    content          TEXT    NOT NULL, -- what stands behind it is slower to read
    written_by       BLOB    NOT NULL REFERENCES members,
    written_at       INTEGER NOT NULL,
    developer_key_id BLOB    NOT NULL REFERENCES developer_keys,
    request_id       TEXT    NOT NULL,
    address          BLOB,                          -- of the client, 4 or 16 bytes
    country          TEXT,                          -- of the address; NULL: not known
    city             TEXT,
    network          TEXT
) STRICT;

-- The last note of each contact that has any, by the numbers of both.
CREATE TABLE last_notes (
    contact INTEGER PRIMARY KEY REFERENCES new_contacts,
    note    INTEGER NOT NULL
) STRICT;

CREATE TRIGGER note_joins_chain AFTER INSERT ON new_notes
BEGIN
    UPDATE new_notes SET previous = note
        FROM new_contacts AS c JOIN last_notes ON contact = c.number
        WHERE new_notes.number = NEW.number AND c.contact_id = NEW.contact_id;
    INSERT INTO last_notes
        SELECT number, NEW.number FROM new_contacts WHERE contact_id = NEW.contact_id
        ON CONFLICT (contact) DO UPDATE SET note = NEW.number;
END;

INSERT INTO new_notes
    (note_id, org_id, contact_id, author_id, created_at, version, content, editable, visible,
     written_by, written_at, developer_key_id, request_id, address, country, city, network)
    SELECT note_id, org_id, contact_id, author_id, created_at, version, content, editable, visible,
           written_by, written_at, developer_key_id, request_id, address, country, city, network
    FROM notes ORDER BY note_id;

-- Former versions of notes, as they were when the next one was written.
CREATE TABLE new_revisions (
    number           INTEGER PRIMARY KEY,           -- in the order in which they were stored
    note_id          BLOB    NOT NULL REFERENCES new_notes (note_id),
    former           INTEGER NOT NULL DEFAULT 0, -- number of the version before; 0: none
    version          INTEGER NOT NULL,
    org_id           BLOB    NOT NULL REFERENCES orgs,
    content          TEXT    NOT NULL,
    editable         INTEGER NOT NULL,
    visible          INTEGER NOT NULL,
    written_by       BLOB    NOT NULL REFERENCES members,
    written_at       INTEGER NOT NULL,
    developer_key_id BLOB    NOT NULL REFERENCES developer_keys,
    request_id       TEXT    NOT NULL,
    address          BLOB,
    country          TEXT,
    city             TEXT,
    network          TEXT
) STRICT;

CREATE TRIGGER version_joins_chain AFTER INSERT ON new_revisions
BEGIN
    UPDATE new_revisions
        SET former = (SELECT former FROM new_notes WHERE note_id = NEW.note_id)
        WHERE number = NEW.number;
    UPDATE new_notes SET former = NEW.number WHERE note_id = NEW.note_id;
END;

INSERT INTO new_revisions
    (note_id, version, org_id, content, editable, visible, written_by, written_at,
     developer_key_id, request_id, address, country, city, network)
    SELECT note_id, version, org_id, content, editable, visible, written_by, written_at,
           developer_key_id, request_id, address, country, city, network
    FROM note_revisions ORDER BY note_id, version;

DROP TRIGGER note_joins_chain;
DROP TRIGGER version_joins_chain;
DROP TABLE note_revisions;
DROP TABLE notes;
DROP TABLE contacts;
ALTER TABLE new_contacts RENAME TO contacts;
ALTER TABLE new_notes RENAME TO notes;
ALTER TABLE new_revisions RENAME TO note_revisions;
CREATE INDEX contacts_by_org ON contacts (org_id, contact_id);
