"""
Databases as an earlier version of the programs left them.
"""

import re
import sqlite3

from support.paths import SOURCE

EARLIER = 5  # the last schema but one
NEW = ("contact_index", "contact_keys", "contact_words", "contact_ranges", "entities")
EMPTIED = ("last_notes", "note_revisions", "notes")  # they refer to contacts


def go_back(path):
    """Makes the database one of schema EARLIER, without contacts and notes."""
    chains = (SOURCE / "migrations" / "0005_chains.sql").read_text()
    contacts = re.search(r"CREATE TABLE new_contacts \(.*?\) STRICT;", chains, re.S)[0]
    connection = sqlite3.connect(path)
    with connection:
        for table in (*NEW, "contacts"):
            connection.execute(f"DROP TABLE {table}")
        for table in EMPTIED:
            connection.execute(f"DELETE FROM {table}")
        connection.execute(contacts.replace("new_contacts", "contacts"))
        connection.execute("CREATE INDEX contacts_by_org ON contacts (org_id, contact_id)")
        connection.execute("DELETE FROM schema_migrations WHERE number > ?", (EARLIER,))
        connection.execute(f"PRAGMA user_version = {EARLIER}")
    connection.close()
