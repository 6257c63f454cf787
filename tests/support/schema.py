"""
Databases as an earlier version of the programs left them.
"""

import sqlite3

EARLIER = 7  # the last schema but one
UNDO = {8: ["DROP TABLE handed_out_keys"], 7: []}  # what each migration has made


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
