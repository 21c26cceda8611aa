//! Executes the store's statements on SQLite in this process: what the native server and the tests have in common as
//! hosts of a database.
//!
//! [`query`] does what [`Database::query`](webpubsub_store::Database::query) asks of a host. Everything else is the
//! host's: where the database is, when a transaction begins and ends, and what an error means.
//!
//! ```
//! use rusqlite::{Connection, Statement};
//! use webpubsub_store::{Cell, Value};
//!
//! let pass = |_: &Statement<'_>| Ok::<_, rusqlite::Error>(());
//! let connection = Connection::open_in_memory()?;
//! let statements = "CREATE TABLE rooms (name TEXT); INSERT INTO rooms VALUES (?) RETURNING name";
//! let rows = webpubsub_sqlite::query(&connection, statements, &[Value::Text("lobby")], pass)?;
//! assert_eq!(rows, [[Cell::Text("lobby".to_owned())]]);
//! # Ok::<(), rusqlite::Error>(())
//! ```

use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Batch, Connection, Statement, ToSql};
use webpubsub_store::{Cell, Row, Value};

/// Executes one statement, or several with `;` between, and returns the rows that the last one finds.
///
/// `values` are the parameters of the last one. `before` is called with each statement before it is executed. A text
/// without `;` is kept prepared, in the connection's cache.
///
/// # Errors
/// That of the first statement that `before` refuses or that fails, or of a text found that is not UTF-8. Statements
/// after it are not executed.
pub fn query<E: From<rusqlite::Error>>(
    connection: &Connection,
    statements: &str,
    values: &[Value<'_>],
    mut before: impl FnMut(&Statement<'_>) -> Result<(), E>,
) -> Result<Vec<Row>, E> {
    if !statements.contains(';') {
        let mut statement = connection.prepare_cached(statements)?;
        before(&statement)?;
        return Ok(rows(&mut statement, values)?);
    }
    let mut last = Vec::new();
    let mut batch = Batch::new(connection, statements);
    while let Some(mut statement) = batch.next()? {
        before(&statement)?;
        let is_last = statement.parameter_count() == values.len();
        last = rows(&mut statement, if is_last { values } else { &[] })?;
    }
    Ok(last)
}

fn rows(statement: &mut Statement<'_>, values: &[Value<'_>]) -> rusqlite::Result<Vec<Row>> {
    let columns = statement.column_count();
    for (at, value) in values.iter().enumerate() {
        statement.raw_bind_parameter(at + 1, Parameter(*value))?;
    }
    let mut found = statement.raw_query();
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let cells = (0..columns).map(|column| cell(row.get_ref(column)?));
        rows.push(cells.collect::<Result<_, _>>()?);
    }
    Ok(rows)
}

/// A value as SQLite takes it, without a copy.
struct Parameter<'a>(Value<'a>);

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(number.cast_signed()),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn cell(value: ValueRef<'_>) -> rusqlite::Result<Cell> {
    Ok(match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        // The store writes none; rounded, as the platform's host reads it.
        ValueRef::Real(number) => Cell::Integer(number as i64),
        ValueRef::Text(text) => Cell::Text(str::from_utf8(text)?.to_owned()),
        ValueRef::Blob(bytes) => Cell::Blob(bytes.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> Connection {
        Connection::open_in_memory().unwrap()
    }

    fn pass(_: &Statement<'_>) -> rusqlite::Result<()> {
        Ok(())
    }

    #[test]
    fn every_value_is_found_as_it_was_bound() {
        let values = [Value::Null, Value::Integer(7), Value::Text("ü"), Value::Blob(&[0, 255])];
        let cells = [Cell::Null, Cell::Integer(7), Cell::Text("ü".to_owned()), Cell::Blob(vec![0, 255])];
        assert_eq!(query(&connection(), "SELECT ?, ?, ?, ?", &values, pass), Ok(vec![cells.to_vec()]));
    }

    #[test]
    fn statements_after_one_that_is_refused_do_nothing() {
        let connection = connection();
        let mut left = 2;
        let statements = "CREATE TABLE t (n); INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)";
        let refused = query(&connection, statements, &[], |_| {
            left -= 1;
            if left < 0 { Err(rusqlite::Error::InvalidQuery) } else { Ok(()) }
        });
        assert_eq!(refused, Err(rusqlite::Error::InvalidQuery));
        assert_eq!(query(&connection, "SELECT n FROM t", &[], pass), Ok(vec![vec![Cell::Integer(1)]]));
    }

    #[test]
    fn a_text_that_is_not_utf_8_is_an_error() {
        let found = query(&connection(), "SELECT CAST(x'ff' AS TEXT)", &[], pass);
        assert!(matches!(found, Err(rusqlite::Error::Utf8Error(..))), "{found:?}");
    }
}
