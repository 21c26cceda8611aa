"""Makes the tables of one object those of a version that is yet to come, which the service leaves alone."""

import pathlib
import sqlite3
import sys

changed = 0
for file in pathlib.Path(sys.argv[1]).rglob("*.sqlite"):
    with sqlite3.connect(file) as state:
        tables = [name for (name,) in state.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        if "object" in tables and state.execute("SELECT name FROM object").fetchall() == [(sys.argv[2],)]:
            state.execute("UPDATE schema_version SET version = 1000")
            changed += 1
print(changed)
