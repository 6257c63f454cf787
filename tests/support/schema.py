"""
Databases as an earlier version of the programs left them.
"""

import sqlite3

EARLIER = 6  # the last schema but one


def go_back(path):
    """Makes the database one of schema EARLIER, whose audit has the same columns."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("DELETE FROM schema_migrations WHERE number > ?", (EARLIER,))
        connection.execute(f"PRAGMA user_version = {EARLIER}")
    connection.close()
