"""
Databases as an earlier version of the programs left them.
"""

import re
import sqlite3

from support.paths import SOURCE

EARLIER = 4  # the last schema but one
REBUILT = ("contacts", "notes", "note_revisions")  # the tables that the last migration makes anew


def go_back(path):
    """Makes the database one of schema EARLIER, without contacts and notes."""
    initial = (SOURCE / "migrations" / "0001_initial.sql").read_text()
    wanted = re.compile(rf"^(CREATE TABLE|CREATE INDEX \w+ ON) ({'|'.join(REBUILT)}) ", re.M)
    connection = sqlite3.connect(path)
    with connection:
        for table in (*reversed(REBUILT), "last_notes"):
            connection.execute(f"DROP TABLE {table}")
        for statement in initial.split(";\n"):
            if wanted.search(statement):
                connection.execute(statement)
        connection.execute("DELETE FROM schema_migrations WHERE number > ?", (EARLIER,))
        connection.execute(f"PRAGMA user_version = {EARLIER}")
    connection.close()
