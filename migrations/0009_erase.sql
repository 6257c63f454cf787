-- Notes, contacts and members may be erased: their texts, names and addresses are removed, while
-- their ids and times stay. The columns stand behind all others, where NULL takes a byte.

-- Companies that no contact has any more are found by it.
CREATE INDEX contacts_by_entity ON contacts (entity_id) WHERE entity_id IS NOT NULL;

-- When the text of the note was erased; NULL: it was not. Its content is empty then.
ALTER TABLE notes ADD COLUMN erased_at INTEGER;
-- The same for a contact, whose texts and company are NULL then.
ALTER TABLE contacts ADD COLUMN erased_at INTEGER;
-- The same for a member, whose name is a word for all of them then.
ALTER TABLE members ADD COLUMN erased_at INTEGER;
