//! An object's SQLite database, as the store executes statements on it.
//!
//! What is written is one transaction from the first write until [`Sqlite::commit`], which a host calls before
//! anything leaves that depends on it.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Statement};
use webpubsub_protocol::time::Timestamp;
use webpubsub_store::{Database, OpenError, Row, Unreadable, Value};

use crate::log;
use crate::open_files::{OpenFiles, Opened};

/// More statements than the store has.
const PREPARED_STATEMENTS: usize = 128;
/// What SQLite keeps of a file in memory, in KiB.
const CACHE_KIB: u32 = 1024;
/// How many files a database has open: itself, and its log.
const FILES: usize = 2;
/// How large the log of a database stays when it was larger.
const JOURNAL_BYTES: u32 = 4 << 20;

/// Why a database does not do what it is asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    /// The tables are not opened.
    #[error(transparent)]
    Tables(#[from] OpenError),
    /// The disk is full.
    #[error("the disk is full: nothing more is taken until there is room")]
    Full,
    /// The system does not take what is to be written: a quota, a limit on sizes, or a fault of the disk.
    #[error(
        "the system does not write it ({0}): nothing more is taken until it does. Look at quotas, limits and the disk"
    )]
    NotWritten(rusqlite::Error),
    /// The file, or one beside it, cannot be opened.
    #[error(
        "the file, or one of SQLite's beside it, cannot be opened or made ({0}): look at its owner and mode, and at the limit of open files"
    )]
    NotOpened(rusqlite::Error),
    /// The file is damaged.
    #[error(
        "the file is damaged and is left as it is ({0}): restore it from a backup, or remove it to lose what it has"
    )]
    Damaged(rusqlite::Error),
    /// Another process has the file.
    #[error("another process has the file open")]
    Busy,
    /// SQLite refuses it.
    #[error(transparent)]
    Sqlite(rusqlite::Error),
    /// What is stored is no text that it was.
    #[error("a text that is stored is not UTF-8")]
    NotText,
    /// What was to be stored is not known, after a fault of the service's own.
    #[error("a fault of the service, which stands above in the log: please report it")]
    Panicked,
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::SystemIoFailure) if is_of_writing(&error) => Self::NotWritten(error),
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Self::NotOpened(error)
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            _ if matches!(error, rusqlite::Error::Utf8Error(..)) => Self::NotText,
            _ => Self::Sqlite(error),
        }
    }
}

/// Whether the system has refused to write, and not to read.
fn is_of_writing(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{
        SQLITE_IOERR_DIR_FSYNC, SQLITE_IOERR_FSYNC, SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_WRITE,
    };
    let code = error.sqlite_error().map(|error| error.extended_code);
    [SQLITE_IOERR_DIR_FSYNC, SQLITE_IOERR_FSYNC, SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_WRITE]
        .iter()
        .any(|of_writing| code == Some(*of_writing))
}

/// A database. Its clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Sqlite {
    connection: Rc<Connection>,
    /// Its files, until they are closed.
    _open: Option<Rc<Opened>>,
}

impl Sqlite {
    /// Opens a file, which is this process's alone from here on. `synchronous` is SQLite's.
    pub(crate) fn open(file: &Path, synchronous: &str, files: &OpenFiles) -> Result<Self, DatabaseError> {
        let open = files.others(FILES);
        let connection = Connection::open(file)?;
        // Whoever waited for another process here would have all else of this thread wait, too.
        connection.busy_timeout(Duration::ZERO)?;
        // Without other processes the log needs no shared memory.
        connection.execute_batch(&format!(
            "PRAGMA locking_mode = EXCLUSIVE;
             PRAGMA journal_mode = WAL;
             PRAGMA synchronous = {synchronous};
             PRAGMA journal_size_limit = {JOURNAL_BYTES};"
        ))?;
        Self::of(connection, Some(open))
    }

    /// Makes a database that ends with the process.
    pub(crate) fn in_memory() -> Result<Self, DatabaseError> {
        Self::of(Connection::open_in_memory()?, None)
    }

    fn of(connection: Connection, open: Option<Opened>) -> Result<Self, DatabaseError> {
        connection.execute_batch(&format!(
            "PRAGMA foreign_keys = OFF;
             PRAGMA temp_store = MEMORY;
             PRAGMA cell_size_check = ON;
             PRAGMA cache_size = -{CACHE_KIB};
             CREATE TABLE IF NOT EXISTS server_alarm (due INTEGER NOT NULL);"
        ))?;
        connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
        Ok(Self { connection: Rc::new(connection), _open: open.map(Rc::new) })
    }

    /// The name of the object whose file this is; `None` if it has stored nothing.
    pub(crate) fn name_in(file: &Path) -> Result<Option<String>, DatabaseError> {
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let mut statement = connection.prepare("SELECT name FROM sqlite_master WHERE name = 'object'")?;
        if !statement.exists([])? {
            return Ok(None);
        }
        let mut statement = connection.prepare("SELECT name FROM object")?;
        Ok(statement.query_map([], |row| row.get(0))?.next().transpose()?)
    }

    /// Ends the transaction, if there is one: what was written is on disk, as far as that was asked for.
    pub(crate) fn commit(&self) -> Result<(), DatabaseError> {
        if !self.connection.is_autocommit() {
            self.connection.prepare_cached("COMMIT")?.raw_execute()?;
        }
        Ok(())
    }

    /// Takes back what was written and not committed.
    pub(crate) fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // A failure that has ended the transaction has taken it back.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    /// When the alarm is set for that was set last.
    pub(crate) fn alarm(&self) -> Result<Option<Timestamp>, DatabaseError> {
        let rows = self.query("SELECT due FROM server_alarm", &[])?;
        Ok(rows.first().and_then(|row| row.first()?.number()).map(Timestamp::from_millis))
    }

    /// Stores when the alarm is set for.
    pub(crate) fn set_alarm(&self, due: Option<Timestamp>) -> Result<(), DatabaseError> {
        self.run("DELETE FROM server_alarm", &[])?;
        match due {
            Some(due) => self.run("INSERT INTO server_alarm VALUES (?)", &[Value::Integer(due.as_millis())]),
            None => Ok(()),
        }
    }

    /// Begins a transaction for a statement that writes, unless one has begun.
    fn begin_for(&self, statement: &Statement<'_>) -> Result<(), DatabaseError> {
        if !statement.readonly() && self.connection.is_autocommit() {
            self.connection.prepare_cached("BEGIN IMMEDIATE")?.raw_execute()?;
        }
        Ok(())
    }
}

#[cfg(test)]
impl Sqlite {
    /// Has every statement fail from here on that writes.
    pub(crate) fn refuse_writes(&self) {
        self.connection.execute_batch("PRAGMA query_only = ON").unwrap();
    }
}

impl Database for Sqlite {
    type Error = DatabaseError;

    fn query(&self, statements: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, DatabaseError> {
        webpubsub_sqlite::query(&self.connection, statements, values, |statement| self.begin_for(statement))
    }

    fn log_unreadable(&self, what: Unreadable) {
        log::failure(what.doing(), &what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_another_has_open_is_not_waited_for() {
        let file = std::env::temp_dir().join(format!("webpubsub-busy-{}.sqlite", std::process::id()));
        let files = OpenFiles::of(1024, 1);
        let first = Sqlite::open(&file, "FULL", &files).unwrap();
        assert!(matches!(Sqlite::open(&file, "FULL", &files), Err(DatabaseError::Busy)));
        let waits = first.connection.query_row("PRAGMA busy_timeout", [], |row| row.get::<_, u32>(0));
        assert_eq!(waits, Ok(0));
        drop(first);
        Sqlite::open(&file, "FULL", &files).unwrap();
        std::fs::remove_file(file).unwrap();
    }

    #[test]
    fn what_is_not_committed_is_taken_back() {
        let database = Sqlite::in_memory().unwrap();
        database.set_alarm(Some(Timestamp::from_millis(5))).unwrap();
        database.commit().unwrap();
        database.set_alarm(None).unwrap();
        assert_eq!(database.alarm().unwrap(), None);
        database.roll_back();
        assert_eq!(database.alarm().unwrap(), Some(Timestamp::from_millis(5)));
    }
}
