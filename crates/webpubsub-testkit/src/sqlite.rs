//! SQLite in this process, as the store's database.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use rusqlite::Connection;
use rusqlite::limits::Limit;
use webpubsub_store::{Database, OpenError, Row, Unreadable, Value};

/// How many bytes a string, a blob or a row may have on the platform: Cloudflare's documentation has it among the
/// limits of Durable Objects.
const MAX_VALUE_BYTES: i32 = 2_000_000;

/// An SQLite database in memory, with the platform's limits. Its clones are the same database.
#[derive(Debug, Clone)]
pub struct Sqlite(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    connection: Connection,
    unreadable: RefCell<Vec<Unreadable>>,
    /// How many statements are executed before all others fail.
    left: Cell<usize>,
    /// How many times it was called.
    calls: Cell<usize>,
}

/// Why a statement failed.
#[derive(Debug)]
pub enum SqliteError {
    /// The tables are not opened.
    Open(OpenError),
    /// SQLite refused it.
    Sqlite(rusqlite::Error),
    /// It comes after those that [`Sqlite::fail_after`] lets pass.
    Failing,
}

impl From<OpenError> for SqliteError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl From<rusqlite::Error> for SqliteError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Sqlite {
    /// Makes an empty database.
    ///
    /// # Panics
    /// If SQLite does not.
    #[must_use]
    pub fn in_memory() -> Self {
        let connection = Connection::open_in_memory().expect("a database");
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES).expect("a limit");
        // Nothing is ever rolled back.
        connection.execute_batch("PRAGMA journal_mode = OFF").expect("a database without a journal");
        connection.set_prepared_statement_cache_capacity(64);
        let (left, calls) = (Cell::new(usize::MAX), Cell::new(0));
        Self(Rc::new(Inner { connection, unreadable: RefCell::default(), left, calls }))
    }

    /// Executes a script.
    ///
    /// # Panics
    /// If a statement fails.
    pub fn execute(&self, script: &str) {
        self.0.connection.execute_batch(script).expect("a script");
    }

    /// Returns the first values, texts, of the rows that a query finds.
    ///
    /// # Panics
    /// If the query fails or finds something else.
    #[must_use]
    pub fn texts(&self, query: &str) -> Vec<String> {
        let mut statement = self.0.connection.prepare(query).expect("a query");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        rows.collect::<Result<_, _>>().expect("texts")
    }

    /// Returns how many rows were ever written or deleted.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.0.connection.total_changes()
    }

    /// Returns how many calls there were since this was called last. Each is a call out of wasm in the worker.
    #[must_use]
    pub fn take_calls(&self) -> usize {
        self.0.calls.take()
    }

    /// Lets so many statements pass and fails every other.
    pub fn fail_after(&self, statements: usize) {
        self.0.left.set(statements);
    }

    /// Takes what was logged as unreadable.
    #[must_use]
    pub fn take_unreadable(&self) -> Vec<Unreadable> {
        self.0.unreadable.take()
    }

    fn spend(&self) -> Result<(), SqliteError> {
        let left = self.0.left.get().checked_sub(1).ok_or(SqliteError::Failing)?;
        self.0.left.set(left);
        Ok(())
    }
}

impl Database for Sqlite {
    type Error = SqliteError;

    fn query(&self, statements: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, SqliteError> {
        self.0.calls.set(self.0.calls.get() + 1);
        webpubsub_sqlite::query(&self.0.connection, statements, values, |_| self.spend())
    }

    fn log_unreadable(&self, what: Unreadable) {
        self.0.unreadable.borrow_mut().push(what);
    }
}
