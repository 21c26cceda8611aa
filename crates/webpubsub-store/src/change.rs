//! Changes as statements.

mod connection;
mod event;
mod log;
mod mqtt;
mod state;

use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::Change;

use crate::database::{Database, Value, integer};

/// How many bytes of a message are kept in one value.
///
/// A Durable Object's SQLite takes 2 MB, and ends the object with a longer one (`SQLITE_TOOBIG`).
const MAX_VALUE_BYTES: usize = 1 << 20;

/// Writes one change: a statement for most, several for what stands in several tables or values.
pub(crate) fn write<D: Database>(database: &D, change: &Change) -> Result<(), D::Error> {
    match change {
        Change::PutConnection(record) => connection::put(database, record),
        Change::RemoveConnection(slot) => connection::remove(database, *slot),
        Change::Join(slot, group) => connection::join(database, *slot, group),
        Change::Leave(slot, group) => connection::leave(database, *slot, group),
        Change::Permit { slot, kind, group, literal } => {
            connection::permit(database, *slot, *kind, group, *literal)
        }
        Change::UseAcks { slot, part, acks } => connection::use_acks(database, *slot, *part, acks),
        Change::Acknowledge { slot, cursor } => connection::acknowledge(database, *slot, *cursor),
        Change::Detach { slot, until } => connection::detach(database, *slot, *until),
        Change::EventContext { slot, events, state, cookies } => {
            connection::put_context(database, *slot, *events, state.as_deref(), cookies)
        }
        Change::State(group, item) => state::put(database, group, item),
        Change::UseStates(cleared) => state::note_use(database, *cleared),
        Change::Subscribe(slot, group) => state::subscribe(database, *slot, group),
        Change::Unsubscribe(slot, group) => state::unsubscribe(database, *slot, group),
        Change::PutStream { slot, number, stream } => state::put_stream(database, *slot, *number, stream),
        Change::RemoveStream { slot, number } => state::remove_stream(database, *slot, *number),
        Change::PutMqtt { slot, session } => mqtt::put(database, *slot, session),
        Change::RemoveMqtt(slot) => mqtt::remove(database, *slot),
        Change::MqttSubscribe { slot, topic, options } => mqtt::subscribe(database, *slot, topic, *options),
        Change::MqttUnsubscribe { slot, topic } => mqtt::unsubscribe(database, *slot, topic),
        Change::AddMqttPacket(slot, packet) => mqtt::add_packet(database, *slot, *packet),
        Change::RemoveMqttPacket(slot, packet) => mqtt::remove_packet(database, *slot, *packet),
        Change::Log { row, message, expires, relayed, recipients } => {
            log::add(database, *row, message, *expires, *relayed, recipients)
        }
        Change::DeleteRows { first, last } => log::delete(database, *first, *last),
        Change::Map(map) => log::put_map(database, map),
        Change::TakenBy { shard, row } => log::note_taken_by(database, *shard, *row),
        Change::Take { from, row } => log::note_taken(database, *from, *row),
        Change::AddEvent { row, event } => event::add(database, *row, event),
        Change::RemoveEvent { row } => event::remove(database, *row),
        Change::Settings(settings) => event::put_settings(database, settings.as_ref()),
    }
}

/// Splits a message into the front that fits into one value, and what is left.
fn split(message: &str) -> (&str, &str) {
    message.split_at_checked(message.floor_char_boundary(MAX_VALUE_BYTES)).unwrap_or((message, ""))
}

/// Returns whether there may be more of a message than what its row of the log has, which is split before a
/// character of up to four bytes.
pub(crate) const fn may_have_rest(first: &str) -> bool {
    first.len() + 4 > MAX_VALUE_BYTES
}

/// A moment in milliseconds since the Unix epoch, or `NULL`.
fn time(moment: Option<Timestamp>) -> Value<'static> {
    moment.map_or(Value::Null, |moment| integer(moment.as_millis()))
}
