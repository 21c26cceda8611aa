-- A shard as version 1 left it, which could not recover a connection.
CREATE TABLE schema_version (version INTEGER NOT NULL);
CREATE TABLE connection (
  slot INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  user_id TEXT,
  roles TEXT NOT NULL,
  subprotocol TEXT,
  send_to TEXT,
  no_echo INTEGER NOT NULL,
  log_row INTEGER NOT NULL,
  received INTEGER NOT NULL
);
CREATE TABLE membership (slot INTEGER NOT NULL, group_name TEXT NOT NULL, PRIMARY KEY (slot, group_name)) WITHOUT ROWID;
CREATE TABLE log (row INTEGER PRIMARY KEY, recipients BLOB NOT NULL);
INSERT INTO schema_version VALUES (1);
INSERT INTO connection VALUES (0, 'old', 'alice', '[]', 'json.reliable.webpubsub.azure.v1', NULL, 0, 0, 0);
INSERT INTO membership VALUES (0, 'room');
INSERT INTO log VALUES (1, x'01');
