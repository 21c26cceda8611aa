-- A shard as version 6 left it.
CREATE TABLE schema_version (version INTEGER NOT NULL);
CREATE TABLE object (name TEXT NOT NULL, registered INTEGER NOT NULL);
CREATE TABLE delivery (number INTEGER PRIMARY KEY, delivery TEXT NOT NULL);
CREATE TABLE connection (
  slot INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  user_id TEXT,
  roles TEXT NOT NULL,
  subprotocol TEXT,
  send_to TEXT,
  no_echo INTEGER NOT NULL,
  acknowledged_row INTEGER NOT NULL,
  acknowledged INTEGER NOT NULL,
  detached_until INTEGER,
  origin TEXT NOT NULL,
  custom_subprotocol TEXT,
  state TEXT,
  cookies TEXT NOT NULL,
  events INTEGER NOT NULL
);
CREATE TABLE membership (slot INTEGER NOT NULL, group_name TEXT NOT NULL, PRIMARY KEY (slot, group_name)) WITHOUT ROWID;
CREATE TABLE permission (
  slot INTEGER NOT NULL,
  kind TEXT NOT NULL,
  group_name TEXT NOT NULL,
  verdict TEXT,
  PRIMARY KEY (slot, kind, group_name)
) WITHOUT ROWID;
CREATE TABLE log (
  row INTEGER PRIMARY KEY,
  recipients BLOB NOT NULL,
  expires INTEGER,
  relayed INTEGER NOT NULL,
  message TEXT NOT NULL
);
CREATE TABLE shard_map (id INTEGER PRIMARY KEY, map TEXT NOT NULL);
CREATE TABLE taken_by (shard INTEGER PRIMARY KEY, row INTEGER NOT NULL);
CREATE TABLE taken (shard INTEGER PRIMARY KEY, row INTEGER NOT NULL);
CREATE TABLE outbox (row INTEGER PRIMARY KEY, notice TEXT NOT NULL);
CREATE TABLE settings (id INTEGER PRIMARY KEY, settings TEXT NOT NULL);
INSERT INTO schema_version VALUES (6);
INSERT INTO object VALUES ('chat', 1);
INSERT INTO delivery (delivery) VALUES ('{"event":"connected"}');
INSERT INTO connection VALUES
  (0, 'alices', 'alice', '["webpubsub.joinLeaveGroup"]', 'json.reliable.webpubsub.azure.v1', NULL, 0, 7, 2, NULL,
   'https://chat.example', NULL, 'e30=', '', 4),
  (3, 'bobs', NULL, '[]', NULL, 'room', 1, 0, 0, 75000, '', 'mine', NULL, 'a=b', 1);
INSERT INTO membership VALUES (0, 'room'), (0, 'räume'), (3, 'room');
INSERT INTO permission VALUES (0, 'sendToGroup', 'room', 'allow'), (3, 'joinLeaveGroup', 'room', NULL);
INSERT INTO log VALUES (7, x'09', 90000, 1, '{"from":"server"}'), (9, x'01', NULL, 0, '"grüße"');
INSERT INTO shard_map VALUES (0, '{"version":3,"accepting":2,"reached":2,"target":2,"since":60000}');
INSERT INTO taken_by VALUES (1, 7);
INSERT INTO taken VALUES (1, 5);
INSERT INTO outbox VALUES (2, '{"event":"connected"}');
INSERT INTO settings VALUES (0, '{"anonymousConnectPolicy":"allow"}');
CREATE TABLE log_rest (row INTEGER NOT NULL, message TEXT NOT NULL);
CREATE TABLE ack_part (slot INTEGER NOT NULL, part INTEGER NOT NULL, ids BLOB NOT NULL, PRIMARY KEY (slot, part)) WITHOUT ROWID;
INSERT INTO ack_part VALUES (0, 0, x'07000000000000000100'), (0, 1, x'0b000000000000000200');
CREATE TABLE group_state (
  connection TEXT NOT NULL,
  group_name TEXT NOT NULL,
  user_id TEXT,
  state TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (connection, group_name)
) WITHOUT ROWID;
CREATE TABLE uses_states (id INTEGER PRIMARY KEY);
CREATE TABLE state_subscription (slot INTEGER NOT NULL, group_name TEXT NOT NULL, PRIMARY KEY (slot, group_name)) WITHOUT ROWID;
INSERT INTO group_state VALUES ('alices', 'room', 'alice', '{"mood":"ä"}', 70000), ('others', 'room', NULL, '{"a":"1"}', 70001);
INSERT INTO uses_states VALUES (0);
INSERT INTO state_subscription VALUES (3, 'room');
CREATE TABLE stream (slot INTEGER NOT NULL, number INTEGER NOT NULL, stream TEXT NOT NULL, PRIMARY KEY (slot, number)) WITHOUT ROWID;
INSERT INTO stream VALUES (0, 0, '["s","room","noEcho","300000","3","60000"]');
CREATE TABLE mqtt_session (slot INTEGER PRIMARY KEY, session TEXT NOT NULL);
CREATE TABLE mqtt_subscription (slot INTEGER NOT NULL, topic TEXT NOT NULL, options INTEGER NOT NULL, PRIMARY KEY (slot, topic)) WITHOUT ROWID;
CREATE TABLE mqtt_packet (slot INTEGER NOT NULL, kind INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (slot, kind, number)) WITHOUT ROWID;
INSERT INTO mqtt_session VALUES (3, '{}');
INSERT INTO mqtt_subscription VALUES (3, 'room', 513);
INSERT INTO mqtt_packet VALUES (3, 0, 65535), (3, 1, 70000);
