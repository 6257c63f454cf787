-- The first schema. Ids are UUIDs of 16 bytes; times are milliseconds since 1970 in UTC;
-- org_id stands in every table so that each could be split by organization one day.

-- Customers of the CRM; everything else belongs to exactly one of them.
CREATE TABLE orgs (
    org_id     BLOB    PRIMARY KEY CHECK (length(org_id) = 16),
    name       TEXT    NOT NULL CHECK (name <> ''), -- for people, need not be unique
    created_at INTEGER NOT NULL
) STRICT;

-- People of an organization: they own contacts and write notes.
CREATE TABLE members (
    member_id  BLOB    PRIMARY KEY CHECK (length(member_id) = 16),
    org_id     BLOB    NOT NULL REFERENCES orgs,
    name       TEXT    NOT NULL CHECK (name <> ''),
    email      TEXT,                                -- NULL: not known
    active     INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)), -- 0: counts as absent
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX members_by_org ON members (org_id, member_id);

-- Keys that say which member, and so which organization, a program speaks for.
CREATE TABLE api_keys (
    api_key_id   BLOB    PRIMARY KEY CHECK (length(api_key_id) = 16),
    org_id       BLOB    NOT NULL REFERENCES orgs,
    member_id    BLOB    NOT NULL REFERENCES members,
    hash         BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32), -- keyed BLAKE2b-256
    label        TEXT,                              -- for people; NULL: none
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,                           -- to the minute; NULL: never
    revoked_at   INTEGER                            -- NULL: live
) STRICT;
CREATE INDEX api_keys_by_org ON api_keys (org_id, api_key_id);

-- Secrets of the programs' developers; each may be used from certain networks only.
CREATE TABLE developer_keys (
    developer_key_id BLOB    PRIMARY KEY CHECK (length(developer_key_id) = 16),
    org_id           BLOB    NOT NULL REFERENCES orgs,
    name             TEXT    NOT NULL CHECK (name <> ''),
    hash             BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32), -- keyed BLAKE2b-256
    created_at       INTEGER NOT NULL,
    expires_at       INTEGER,                       -- NULL: never
    last_used_at     INTEGER,                       -- to the minute; NULL: never
    revoked_at       INTEGER                        -- NULL: live
) STRICT;
CREATE INDEX developer_keys_by_org ON developer_keys (org_id, developer_key_id);

-- The CIDR blocks from which a developer key may be used; none: from nowhere. The order of
-- the key is what the search for an address walks along.
CREATE TABLE developer_key_networks (
    developer_key_id BLOB    NOT NULL REFERENCES developer_keys,
    family           INTEGER NOT NULL CHECK (family IN (4, 6)),
    network          BLOB    NOT NULL,              -- 4 or 16 bytes, host bits 0
    prefix_len       INTEGER NOT NULL,
    org_id           BLOB    NOT NULL REFERENCES orgs,
    created_at       INTEGER NOT NULL,
    PRIMARY KEY (developer_key_id, family, network, prefix_len),
    CHECK (length(network) = iif(family = 4, 4, 16)),
    CHECK (prefix_len BETWEEN 0 AND iif(family = 4, 32, 128))
) STRICT, WITHOUT ROWID;

-- The people whom an organization knows; one member owns each.
CREATE TABLE contacts (
    contact_id BLOB    PRIMARY KEY CHECK (length(contact_id) = 16),
    org_id     BLOB    NOT NULL REFERENCES orgs,
    owner_id   BLOB    NOT NULL REFERENCES members, -- of the same organization
    name       TEXT    NOT NULL CHECK (name <> ''),
    email      TEXT,                                -- NULL: not known
    phone      TEXT,                                -- NULL: not known
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX contacts_by_org ON contacts (org_id, contact_id);

-- Notes as they are now. The columns from written_by on tell of the present version.
CREATE TABLE notes (
    note_id          BLOB    PRIMARY KEY CHECK (length(note_id) = 16),
    org_id           BLOB    NOT NULL REFERENCES orgs,
    contact_id       BLOB    NOT NULL REFERENCES contacts,
    author_id        BLOB    NOT NULL REFERENCES members, -- who made the note; never changes
    created_at       INTEGER NOT NULL,
    version          INTEGER NOT NULL CHECK (version >= 1),
    content          TEXT    NOT NULL,
    editable         INTEGER NOT NULL CHECK (editable IN (0, 1)), -- by other members
    visible          INTEGER NOT NULL CHECK (visible IN (0, 1)),  -- to other members
    written_by       BLOB    NOT NULL REFERENCES members,
    written_at       INTEGER NOT NULL,
    developer_key_id BLOB    NOT NULL REFERENCES developer_keys,
    request_id       TEXT    NOT NULL,
    address          BLOB,                          -- of the client, 4 or 16 bytes
    country          TEXT,                          -- of the address; NULL: not known
    city             TEXT,
    network          TEXT
) STRICT;
CREATE INDEX notes_by_contact ON notes (contact_id, note_id);

-- Former versions of notes, as they were when the next one was written.
CREATE TABLE note_revisions (
    note_id          BLOB    NOT NULL REFERENCES notes,
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
    network          TEXT,
    PRIMARY KEY (note_id, version)
) STRICT;

-- What operators changed with crmnotesctl.
CREATE TABLE audit (
    audit_id BLOB    PRIMARY KEY CHECK (length(audit_id) = 16),
    at       INTEGER NOT NULL,
    actor    TEXT    NOT NULL,                      -- the operating system's user
    action   TEXT    NOT NULL,                      -- noun and verb, as typed
    org_id   BLOB    REFERENCES orgs,               -- NULL: of no organization
    subject  BLOB,                                  -- the id of what was changed
    detail   TEXT    NOT NULL                       -- JSON; never a secret or a note's text
) STRICT;
