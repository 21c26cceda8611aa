//! An object's SQLite, as the store executes statements on it.

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use webpubsub_store::{Cell, Database, Row, ShardStore, Unreadable, Value};

use crate::log;
use crate::platform::{Error, Result, State, object_name, run_sql};

/// The SQLite of a Durable Object. The platform keeps statements prepared by their text, and lets nothing out
/// of the object before what was written ahead of it is on disk.
pub(crate) struct Sql(pub(crate) State);

impl Database for Sql {
    type Error = Error;

    fn query(&self, statements: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>> {
        let values = values.iter().copied().map(to_js).collect();
        let rows = run_sql(&self.0, statements, values)?;
        Ok(rows.iter().map(|row| row.iter().map(|value| from_js(&value)).collect()).collect())
    }

    fn log_unreadable(&self, what: Unreadable) {
        log::failure(what.doing(), &what);
    }
}

/// Opens the tables of a shard.
pub(crate) fn open_shard(state: &State) -> Result<ShardStore<Sql>> {
    ShardStore::open(Sql(state.clone()), object_name(state))
}

fn to_js(value: Value<'_>) -> JsValue {
    match value {
        Value::Null => JsValue::NULL,
        Value::Integer(number) => (number as f64).into(),
        Value::Text(text) => text.into(),
        Value::Blob(bytes) => Uint8Array::from(bytes).into(),
    }
}

fn from_js(value: &JsValue) -> Cell {
    if let Some(text) = value.as_string() {
        Cell::Text(text)
    } else if let Some(number) = value.as_f64() {
        Cell::Integer(number as i64)
    } else if value.is_null() {
        Cell::Null
    } else {
        Cell::Blob(Uint8Array::new(value).to_vec())
    }
}
