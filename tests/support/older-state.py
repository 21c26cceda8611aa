"""Makes the tables in a folder what another version of the service had: `older-state.py FOLDER VERSION`.

The tables of an older version are those of `crates/webpubsub-store/tests/old`, from which the store's own tests migrate.
They keep the rows that are there as far as the version had columns for them. Of version 1, which had nothing that is of
use today, and of one that is yet to come they are the rows of the oldest file. "secret" is a version in which a
handler's secret could be any variable.
"""

import pathlib
import sqlite3
import sys

OLD = pathlib.Path(__file__).parents[2] / "crates" / "webpubsub-store" / "tests" / "old"

# Of the hubs' directories, which went with version 2 of the shards.
DIRECTORY_VERSION_1 = "DELETE FROM fact WHERE name = 'since'"

# All ack ids of a connection were in one row.
ACK_IDS = ("ack", "SELECT slot, ids FROM ack_part WHERE part = 0")

ANY_SECRET = "UPDATE {0} SET {1} = replace({1}, 'HANDLER_SECRET_TOKEN', 'HUB_SETTINGS')"


def tables_of(state):
    """The names of the service's tables."""
    names = [name for (name,) in state.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return [name for name in names if not name.startswith(("_cf", "sqlite_"))]


def columns_of(state, table):
    return [column for (_, column, *_) in state.execute(f"PRAGMA table_info({table})")]


def take_back(state, file, keep_rows):
    """Gives the state the tables of an old file, with its own rows or with those of the file."""
    old = sqlite3.connect(":memory:")
    old.executescript(file.read_text())
    there = tables_of(state)
    kept = {}
    for table in tables_of(old):
        if not keep_rows or table == "schema_version":
            continue
        old.execute(f"DELETE FROM {table}")
        columns = columns_of(old, table)
        if table in there:
            columns = [column for column in columns_of(state, table) if column in columns]
            kept[table] = (columns, state.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall())
        elif table == ACK_IDS[0]:
            kept[table] = (columns, state.execute(ACK_IDS[1]).fetchall())
    for table, (columns, rows) in kept.items():
        places = ", ".join("?" * len(columns))
        old.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows)
    for table in there:
        state.execute(f"DROP TABLE {table}")
    for (sql,) in old.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"):
        state.execute(sql)
    for table in tables_of(old):
        rows = old.execute(f"SELECT * FROM {table}").fetchall()
        if rows:
            state.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)


folder, wanted = sys.argv[1:]
changed = 0
for file in pathlib.Path(folder).rglob("*.sqlite"):
    with sqlite3.connect(file) as state:
        tables = tables_of(state)
        if wanted == "secret":
            for table, column in [("fact", "value"), ("settings", "settings")]:
                if table in tables:
                    changed += state.execute(ANY_SECRET.format(table, column)).rowcount
            continue
        if wanted == "2" and "fact" in tables:
            take_back(state, OLD / "directory-1.sql", keep_rows=True)
            state.execute(DIRECTORY_VERSION_1)
        if "membership" not in tables:
            continue
        version = OLD / f"shard-{wanted}.sql"
        if wanted != "1" and version.exists():
            if "ack_part" not in tables:
                continue
            take_back(state, version, keep_rows=True)
        else:
            take_back(state, OLD / "shard-1.sql", keep_rows=False)
            state.execute("UPDATE schema_version SET version = ?", [int(wanted)])
        changed += 1
print(changed)
