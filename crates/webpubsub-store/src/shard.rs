//! The tables of one shard: its changes in, its snapshot and its log's messages out.

use webpubsub_shard::{Change, HubSettings, ShardMap, Snapshot, StoredMessage};

use crate::database::{Cell, Database, Unreadable, integer};
use crate::object::ObjectStore;
use crate::rows::{
    acks, connection, durable_event, log_row, membership, moment, mqtt_packet, mqtt_session,
    mqtt_subscription, permission, shard_row, state, stored_message, stream,
};
use crate::{change, schema};

/// The tables of one shard.
#[derive(Debug)]
pub struct ShardStore<D> {
    object: ObjectStore<D>,
}

impl<D: Database> ShardStore<D> {
    /// Opens the tables: makes them, or migrates those of an older version. `name` is the object's, if the
    /// host knows it; one that is stored goes before.
    ///
    /// # Errors
    /// That of a statement, or an [`crate::OpenError`].
    pub fn open(database: D, name: Option<String>) -> Result<Self, D::Error> {
        Ok(Self { object: ObjectStore::open(database, name, &schema::SHARD)? })
    }

    /// Returns what the shard has in common with other objects.
    pub const fn object(&self) -> &ObjectStore<D> {
        &self.object
    }

    /// Writes one change.
    ///
    /// # Errors
    /// That of a statement. The change may be written in part then.
    pub fn store(&self, change: &Change) -> Result<(), D::Error> {
        change::write(&self.object.database, change)
    }

    /// Reads everything that is stored. Rows that cannot be read are left out and logged.
    ///
    /// # Errors
    /// That of a statement.
    pub fn load(&self) -> Result<Snapshot, D::Error> {
        let mut snapshot = Snapshot::default();
        self.read(&mut snapshot.connections, "SELECT * FROM connection ORDER BY slot", connection)?;
        self.read(&mut snapshot.memberships, "SELECT slot, group_name FROM membership", membership)?;
        self.read(&mut snapshot.states, "SELECT * FROM group_state", state)?;
        let mut uses_states = Vec::new();
        self.read(&mut uses_states, "SELECT id FROM uses_states", moment)?;
        snapshot.uses_states = uses_states.pop();
        self.read(
            &mut snapshot.subscriptions,
            "SELECT slot, group_name FROM state_subscription",
            membership,
        )?;
        self.read(
            &mut snapshot.permissions,
            "SELECT slot, kind, group_name, verdict FROM permission",
            permission,
        )?;
        self.read(&mut snapshot.acks, "SELECT slot, part, ids FROM ack_part ORDER BY slot, part", acks)?;
        self.read(&mut snapshot.streams, "SELECT slot, number, stream FROM stream", stream)?;
        self.read(
            &mut snapshot.mqtt_sessions,
            "SELECT slot, session FROM mqtt_session ORDER BY slot",
            mqtt_session,
        )?;
        self.read(
            &mut snapshot.mqtt_subscriptions,
            "SELECT slot, topic, options FROM mqtt_subscription",
            mqtt_subscription,
        )?;
        self.read(&mut snapshot.mqtt_packets, "SELECT slot, kind, number FROM mqtt_packet", mqtt_packet)?;
        self.read(
            &mut snapshot.log,
            "SELECT row, recipients, relayed, LENGTH(CAST(message AS BLOB)) + IFNULL((
               SELECT SUM(LENGTH(CAST(message AS BLOB))) FROM log_rest WHERE log_rest.row = log.row
             ), 0) FROM log ORDER BY row",
            log_row,
        )?;
        let map = self.object.text("SELECT map FROM shard_map", &[])?;
        snapshot.map = map.as_deref().and_then(ShardMap::decode);
        self.read(&mut snapshot.taken_by, "SELECT shard, row FROM taken_by", shard_row)?;
        self.read(&mut snapshot.taken, "SELECT shard, row FROM taken", shard_row)?;
        self.read(&mut snapshot.durable_events, "SELECT * FROM outbox ORDER BY row", durable_event)?;
        let settings = self.object.text("SELECT settings FROM settings", &[])?;
        snapshot.settings = settings.and_then(|settings| self.settings(&settings));
        Ok(snapshot)
    }

    /// Reads the message in a row of the log, if the row is there.
    ///
    /// # Errors
    /// That of a statement.
    pub fn message(&self, row: u64) -> Result<Option<StoredMessage>, D::Error> {
        let query = "SELECT message, expires FROM log WHERE row = ?";
        let found = self.object.database.query(query, &[integer(row)])?;
        let mut found = found.first().and_then(|row| stored_message(row));
        if let Some(StoredMessage { message, .. }) = &mut found
            && change::may_have_rest(message)
        {
            let query = "SELECT message FROM log_rest WHERE row = ? ORDER BY rowid";
            message.extend(self.object.texts(query, &[integer(row)])?);
        }
        Ok(found)
    }

    /// Reads the hub's settings. If they cannot be read, logs that and returns `None`: the hub has those that its
    /// host is configured with.
    fn settings(&self, text: &str) -> Option<HubSettings> {
        let log = |error| self.object.database.log_unreadable(Unreadable::Settings(error));
        HubSettings::decode(text).map_err(log).ok()
    }

    /// Reads the rows that a query finds into a list.
    fn read<T>(
        &self,
        rows: &mut Vec<T>,
        query: &'static str,
        read: fn(&[Cell]) -> Option<T>,
    ) -> Result<(), D::Error> {
        self.each_row(query, &mut |row| read(row).map(|row| rows.push(row)))
    }

    /// Has `take` read each row that a query finds: code that all kinds of rows have in common. Logs those that it
    /// cannot read.
    fn each_row(
        &self,
        query: &'static str,
        take: &mut dyn FnMut(&[Cell]) -> Option<()>,
    ) -> Result<(), D::Error> {
        let database = &self.object.database;
        for row in database.query(query, &[])? {
            if take(&row).is_none() {
                database.log_unreadable(Unreadable::Row(query));
            }
        }
        Ok(())
    }
}
