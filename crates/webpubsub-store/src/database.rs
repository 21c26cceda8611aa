//! What a host's SQLite does for the store.

use webpubsub_shard::SettingsError;

/// An SQLite database, as its host executes statements on it.
///
/// No method waits. What is written in one call of the host's, from its first statement to the last, reaches
/// the disk before anything that depends on it leaves the process: the host sees to that.
pub trait Database {
    /// Why a statement failed, or why tables are not opened.
    type Error: From<OpenError>;

    /// Executes one statement, or several with `;` between, and returns the rows that the last one finds.
    /// `values` are the parameters of the last one.
    ///
    /// A text without `;` is one statement. The same text comes again and again, so a host keeps it prepared.
    ///
    /// # Errors
    /// That of the first statement that fails. Those after it are not executed; those before it stay.
    fn query(&self, statements: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, Self::Error>;

    /// Logs that something stored cannot be read and is left out.
    fn log_unreadable(&self, what: Unreadable);

    /// Executes statements that find nothing, as [`Database::query`] does.
    ///
    /// # Errors
    /// As [`Database::query`] has them.
    fn run(&self, statements: &'static str, values: &[Value<'_>]) -> Result<(), Self::Error> {
        self.query(statements, values).map(drop)
    }
}

/// A row that a query finds, a cell for each column.
pub type Row = Vec<Cell>;

/// What is stored in one column of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// `NULL`.
    Null,
    /// An integer. The platform has it as a JavaScript number, which is exact below 2^53.
    Integer(i64),
    /// A text.
    Text(String),
    /// A blob.
    Blob(Vec<u8>),
}

impl Cell {
    /// The integer, if it is one and not negative.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        if let Self::Integer(number) = self { u64::try_from(*number).ok() } else { None }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The blob, if it is one.
    #[must_use]
    pub fn blob(&self) -> Option<&[u8]> {
        if let Self::Blob(bytes) = self { Some(bytes) } else { None }
    }
}

/// A statement's parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// `NULL`.
    Null,
    /// An integer, below 2^53: a count, a time in milliseconds since the Unix epoch, or 0 and 1.
    Integer(u64),
    /// A text, of at most 2 MB on the platform.
    Text(&'a str),
    /// A blob, of at most 2 MB on the platform.
    Blob(&'a [u8]),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }
}

/// An integer as a parameter.
pub(crate) fn integer(value: impl Into<u64>) -> Value<'static> {
    Value::Integer(value.into())
}

/// Something stored that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A row that a query found.
    #[error("a row makes no sense: {0}")]
    Row(&'static str),
    /// The settings of a hub. It has those that the host is configured with.
    #[error(transparent)]
    Settings(SettingsError),
}

impl Unreadable {
    /// What the service was doing, in the log's words.
    #[must_use]
    pub const fn doing(&self) -> &'static str {
        match self {
            Self::Row(_) => "reading the tables",
            Self::Settings(_) => "reading stored settings",
        }
    }
}

/// Why an object's tables are not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The host does not know the object's name, and none is stored.
    #[error("the object has no name")]
    NoName,
    /// A later version of the service wrote the tables.
    #[error("the tables are of version {found}, this service knows {known}")]
    Newer {
        /// Their version.
        found: u64,
        /// The latest version that this service knows.
        known: u64,
    },
}
