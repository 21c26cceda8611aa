"""Makes the tables in a folder what an older version of the service had, or says that a newer one wrote them.

Version 1 of a shard had nothing that is of use today; version 2 had all but event handlers; version 3 kept each message
in one value, and all ack ids of a connection in one row. "secret" is a version in which a handler's secret could be any
variable.
"""

import pathlib
import sqlite3
import sys

VERSION_1 = """
CREATE TABLE connection (slot INTEGER PRIMARY KEY, id TEXT NOT NULL, user_id TEXT, roles TEXT NOT NULL,
  subprotocol TEXT, send_to TEXT, no_echo INTEGER NOT NULL, log_row INTEGER NOT NULL, received INTEGER NOT NULL);
CREATE TABLE membership (slot INTEGER NOT NULL, group_name TEXT NOT NULL, PRIMARY KEY (slot, group_name)) WITHOUT ROWID;
CREATE TABLE permission (slot INTEGER NOT NULL, kind TEXT NOT NULL, group_name TEXT NOT NULL, verdict TEXT,
  PRIMARY KEY (slot, kind, group_name)) WITHOUT ROWID;
CREATE TABLE log (row INTEGER PRIMARY KEY, recipients BLOB NOT NULL);
INSERT INTO connection VALUES (0, 'old', 'alice', '[]', 'json.reliable.webpubsub.azure.v1', NULL, 0, 0, 0);
INSERT INTO membership VALUES (0, 'room');
INSERT INTO log VALUES (1, x'01');
"""

SHARD_VERSION_3 = """
CREATE TABLE ack (slot INTEGER PRIMARY KEY, ids BLOB NOT NULL);
INSERT INTO ack SELECT slot, ids FROM ack_part WHERE part = 0;
DROP TABLE ack_part;
DROP TABLE log_rest;
UPDATE schema_version SET version = 3;
"""

SHARD_VERSION_2 = SHARD_VERSION_3 + """
ALTER TABLE connection DROP COLUMN origin;
ALTER TABLE connection DROP COLUMN custom_subprotocol;
ALTER TABLE connection DROP COLUMN state;
ALTER TABLE connection DROP COLUMN cookies;
ALTER TABLE connection DROP COLUMN events;
DROP TABLE outbox;
DROP TABLE settings;
DROP TABLE delivery;
UPDATE schema_version SET version = 2;
"""

# Of the hubs' directories, which went with version 2 of the shards.
DIRECTORY_VERSION_1 = """
DROP TABLE validation;
DROP TABLE delivery;
DELETE FROM fact WHERE name = 'since';
UPDATE schema_version SET version = 1;
"""

ANY_SECRET = "UPDATE {0} SET {1} = replace({1}, 'HANDLER_SECRET_TOKEN', 'HUB_SETTINGS')"

changed = 0
for file in pathlib.Path(sys.argv[1]).rglob("*.sqlite"):
    with sqlite3.connect(file) as state:
        tables = [name for (name,) in state.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        if sys.argv[2] == "secret":
            for table, column in [("fact", "value"), ("settings", "settings")]:
                if table in tables:
                    changed += state.execute(ANY_SECRET.format(table, column)).rowcount
            continue
        if sys.argv[2] == "2" and "fact" in tables:
            state.executescript(DIRECTORY_VERSION_1)
        if "membership" not in tables or (sys.argv[2] in {"2", "3"} and "ack_part" not in tables):
            continue
        changed += 1
        if sys.argv[2] in {"2", "3"}:
            state.executescript(SHARD_VERSION_2 if sys.argv[2] == "2" else SHARD_VERSION_3)
            continue
        for table in tables:
            if not table.startswith(("_cf", "sqlite_")) and table != "schema_version":
                state.execute(f"DROP TABLE {table}")
        state.executescript(VERSION_1)
        state.execute("UPDATE schema_version SET version = ?", [int(sys.argv[2])])
print(changed)
