//! The tables of a hub's directory, and of the register of hubs.

use webpubsub_protocol::event_handler::validation::Validation;
use webpubsub_protocol::time::Timestamp;

use crate::database::{Cell, Database, Value, integer};
use crate::object::ObjectStore;
use crate::schema;

/// The tables of a hub's directory.
#[derive(Debug)]
pub struct DirectoryStore<D> {
    object: ObjectStore<D>,
}

impl<D: Database> DirectoryStore<D> {
    /// Opens the tables: makes them, or migrates those of an older version. `name` is the object's, if the
    /// host knows it; one that is stored goes before.
    ///
    /// # Errors
    /// That of a statement, or an [`crate::OpenError`].
    pub fn open(database: D, name: Option<String>) -> Result<Self, D::Error> {
        Ok(Self { object: ObjectStore::open(database, name, &schema::DIRECTORY)? })
    }

    /// Returns what the directory has in common with other objects.
    pub const fn object(&self) -> &ObjectStore<D> {
        &self.object
    }

    /// Returns a fact of the hub, by its name.
    ///
    /// # Errors
    /// That of a statement.
    pub fn fact(&self, name: &str) -> Result<Option<String>, D::Error> {
        self.object.text("SELECT value FROM fact WHERE name = ?", &[name.into()])
    }

    /// Writes a fact of the hub in the place of the one with its name.
    ///
    /// # Errors
    /// That of a statement.
    pub fn put_fact(&self, name: &str, value: &str) -> Result<(), D::Error> {
        let values = [Value::Text(name), Value::Text(value)];
        self.object.database.run("INSERT OR REPLACE INTO fact VALUES (?, ?)", &values)
    }

    /// Adds a hub to the register.
    ///
    /// # Errors
    /// That of a statement.
    pub fn add_hub(&self, name: &str) -> Result<(), D::Error> {
        self.object.database.run("INSERT OR IGNORE INTO hub VALUES (?)", &[name.into()])
    }

    /// Returns the names of the hubs in the register, in their order.
    ///
    /// # Errors
    /// That of a statement.
    pub fn hubs(&self) -> Result<Vec<String>, D::Error> {
        self.object.texts("SELECT name FROM hub ORDER BY name", &[])
    }

    /// Returns how the last handshake with an event handler went, if there was one for this origin.
    ///
    /// # Errors
    /// That of a statement.
    pub fn validation(&self, url: &str, origin: &str) -> Result<Option<Validation>, D::Error> {
        let query = "SELECT allowed, failures, due FROM validation WHERE url = ? AND origin = ?";
        let found = self.object.database.query(query, &[url.into(), origin.into()])?;
        Ok(found.first().and_then(|row| validation(row)))
    }

    /// Writes how a handshake with an event handler went, and keeps the 99 others that are due last.
    ///
    /// # Errors
    /// That of a statement.
    pub fn put_validation(&self, url: &str, origin: &str, last: &Validation) -> Result<(), D::Error> {
        let statements = "
            DELETE FROM validation WHERE rowid NOT IN (SELECT rowid FROM validation ORDER BY due DESC LIMIT 99);
            INSERT OR REPLACE INTO validation VALUES (?, ?, ?, ?, ?)";
        let (allowed, failures) = (integer(last.allowed), integer(last.failures));
        let values = [url.into(), origin.into(), allowed, failures, integer(last.due.as_millis())];
        self.object.database.run(statements, &values)
    }
}

fn validation(row: &[Cell]) -> Option<Validation> {
    let [allowed, failures, due] = row else { return None };
    Some(Validation {
        allowed: allowed.number()? != 0,
        failures: u32::try_from(failures.number()?).ok()?,
        due: Timestamp::from_millis(due.number()?),
    })
}
