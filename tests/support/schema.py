"""
Databases as an earlier version of the programs left them.
"""

import sqlite3

EARLIER = 8  # the last schema but one
# what each migration has made
UNDO = {
    9: [
        "DROP INDEX contacts_by_entity",
        *(f"ALTER TABLE {table} DROP COLUMN erased_at" for table in ("notes", "contacts", "members")),
    ],
    8: ["DROP TABLE handed_out_keys"],
    7: [],
}


def go_back(path, to=EARLIER):
    """Makes the database one of an earlier schema."""
    connection = sqlite3.connect(path)
    with connection:
        for version in sorted(UNDO, reverse=True):
            for statement in UNDO[version] if version > to else ():
                connection.execute(statement)
        connection.execute("DELETE FROM schema_migrations WHERE number > ?", (to,))
        connection.execute(f"PRAGMA user_version = {to}")
    connection.close()
