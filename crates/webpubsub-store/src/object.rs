//! What every object of the service stores, whatever it is: its layout's version, its name, and deliveries.

use crate::database::{Database, OpenError, Value};
use crate::schema;

/// The tables that a shard and a directory have in common.
#[derive(Debug)]
pub struct ObjectStore<D> {
    pub(crate) database: D,
    name: String,
}

impl<D: Database> ObjectStore<D> {
    /// Returns whether anything was ever stored in a database.
    ///
    /// # Errors
    /// That of a statement.
    pub fn exists(database: &D) -> Result<bool, D::Error> {
        let query = "SELECT 1 FROM sqlite_master WHERE name = 'schema_version'";
        Ok(!database.query(query, &[])?.is_empty())
    }

    /// Opens the tables of an object of this kind: makes them, or migrates those of an older version. One that
    /// finds all as it was writes nothing.
    pub(crate) fn open(database: D, name: Option<String>, tables: &schema::Tables) -> Result<Self, D::Error> {
        database.run(schema::OBJECT, &[])?;
        let mut object = Self { database, name: String::new() };
        object.name = match (name, object.text("SELECT name FROM object", &[])?) {
            (_, Some(name)) => name,
            (Some(name), None) => {
                object.database.run("INSERT INTO object VALUES (?, 0)", &[name.as_str().into()])?;
                name
            }
            (None, None) => return Err(OpenError::NoName.into()),
        };
        tables.migrate(&object.database)?;
        Ok(object)
    }

    /// Returns the object's name, also where the host does not know it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether the register of hubs has the object's hub.
    ///
    /// # Errors
    /// That of a statement.
    pub fn is_registered(&self) -> Result<bool, D::Error> {
        Ok(!self.database.query("SELECT 1 FROM object WHERE registered", &[])?.is_empty())
    }

    /// Writes that the register of hubs has the object's hub.
    ///
    /// # Errors
    /// That of a statement.
    pub fn set_registered(&self) -> Result<(), D::Error> {
        self.database.run("UPDATE object SET registered = 1", &[])
    }

    /// Writes the record of an attempt to deliver an event to its handler, and keeps the 199 before it.
    ///
    /// # Errors
    /// That of a statement.
    pub fn keep_delivery(&self, delivery: &str) -> Result<(), D::Error> {
        let statements = "
            DELETE FROM delivery WHERE number < (SELECT MAX(number) FROM delivery) - 198;
            INSERT INTO delivery (delivery) VALUES (?)";
        self.database.run(statements, &[delivery.into()])
    }

    /// Returns a JSON list of what [`ObjectStore::keep_delivery`] kept, the newest first.
    ///
    /// # Errors
    /// That of a statement.
    pub fn deliveries(&self) -> Result<String, D::Error> {
        let query = "SELECT group_concat(delivery) FROM (SELECT delivery FROM delivery ORDER BY number DESC)";
        Ok(["[", &self.text(query, &[])?.unwrap_or_default(), "]"].concat())
    }

    /// Returns the first values of the rows that a query finds, where they are texts.
    pub(crate) fn texts(&self, query: &'static str, values: &[Value<'_>]) -> Result<Vec<String>, D::Error> {
        let rows = self.database.query(query, values)?;
        Ok(rows.iter().filter_map(|row| row.first()?.text()).map(str::to_owned).collect())
    }

    /// Returns the only value that a query finds, where it is a text.
    pub(crate) fn text(&self, query: &'static str, values: &[Value<'_>]) -> Result<Option<String>, D::Error> {
        Ok(self.texts(query, values)?.pop())
    }
}
