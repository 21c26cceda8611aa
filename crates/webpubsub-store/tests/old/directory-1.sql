-- A hub's directory as version 1 left it, which knew no handshakes with event handlers.
CREATE TABLE schema_version (version INTEGER NOT NULL);
CREATE TABLE object (name TEXT NOT NULL, registered INTEGER NOT NULL);
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE hub (name TEXT PRIMARY KEY);
INSERT INTO schema_version VALUES (1);
INSERT INTO object VALUES ('chat', 1);
INSERT INTO fact VALUES
  ('settings', '{"anonymousConnectPolicy":"allow"}'),
  ('map', '{"version":3,"accepting":2,"reached":2,"target":2,"since":60000}');
INSERT INTO hub VALUES ('chat'), ('alpha');
