//! Rows as the records that they hold; `None` for a row that no version of the service wrote.

use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::client::{Echo, GroupState, GroupStateItem, Subprotocol};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::json::Json;
use webpubsub_protocol::name::{ConnectionId, GroupName, UserId};
use webpubsub_protocol::role::PermissionType;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{
    ConnectionRecord, Cursor, EventContext, LogRow, MqttPacket, ShardId, Slot, StoredMessage, Verdict,
};

use crate::database::Cell;

/// Reads a row of `connection`, with all its columns in their order.
pub(crate) fn connection(row: &[Cell]) -> Option<ConnectionRecord> {
    let [
        slot,
        id,
        user,
        roles,
        subprotocol,
        send_to,
        no_echo,
        log_row,
        acknowledged,
        detached_until,
        origin,
        custom_subprotocol,
        state,
        cookies,
        events,
    ] = row
    else {
        return None;
    };
    let mode = match send_to.text() {
        None => SimpleMode::SendEvent,
        Some(group) => SimpleMode::SendToGroup {
            group: GroupName::parse(group).ok()?,
            echo: if no_echo.number()? == 0 { Echo::Send } else { Echo::Skip },
        },
    };
    Some(ConnectionRecord {
        slot: slot_of(slot)?,
        id: ConnectionId::parse(id.text()?).ok()?,
        user: user.text().map(UserId::parse).transpose().ok()?,
        roles: Json::parse(roles.text()?)?.texts()?,
        subprotocol: Subprotocol::of_record(subprotocol.text()),
        mode,
        acknowledged: Cursor { row: log_row.number()?, sequence_id: SequenceId(acknowledged.number()?) },
        detached_until: detached_until.number().map(Timestamp::from_millis),
        context: EventContext {
            origin: owned(origin)?,
            custom_subprotocol: owned(custom_subprotocol),
            state: owned(state),
            cookies: owned(cookies)?,
            events: events.number()?,
        },
    })
}

/// Reads a slot and the name of a group.
pub(crate) fn membership(row: &[Cell]) -> Option<(Slot, GroupName)> {
    let [slot, group] = row else { return None };
    Some((slot_of(slot)?, GroupName::parse(group.text()?).ok()?))
}

/// Reads a group and what a connection shows in it.
pub(crate) fn state(row: &[Cell]) -> Option<(GroupName, GroupStateItem)> {
    let [connection, group, user, state, updated_at] = row else { return None };
    let item = GroupStateItem {
        connection_id: ConnectionId::parse(connection.text()?).ok()?,
        user_id: user.text().map(UserId::parse).transpose().ok()?,
        state: Some(GroupState::from_json(state.text()?)?),
        updated_at: Timestamp::from_millis(updated_at.number()?),
    };
    Some((GroupName::parse(group.text()?).ok()?, item))
}

/// Reads a moment.
pub(crate) fn moment(row: &[Cell]) -> Option<Timestamp> {
    let [millis] = row else { return None };
    millis.number().map(Timestamp::from_millis)
}

/// Reads a slot, a kind of permission, a group, and what a server granted or revoked.
pub(crate) fn permission(row: &[Cell]) -> Option<(Slot, PermissionType, GroupName, Option<Verdict>)> {
    let [slot, kind, group, verdict] = row else { return None };
    let verdict = match verdict.text() {
        None => None,
        Some(name) => Some(Verdict::from_name(name)?),
    };
    let kind = PermissionType::from_name(kind.text()?)?;
    Some((slot_of(slot)?, kind, GroupName::parse(group.text()?).ok()?, verdict))
}

/// Reads a slot, the number of a part, and the ack ids in it.
pub(crate) fn acks(row: &[Cell]) -> Option<(Slot, u32, Vec<u8>)> {
    let [slot, part, ids] = row else { return None };
    Some((slot_of(slot)?, u32::try_from(part.number()?).ok()?, ids.blob()?.to_owned()))
}

/// Reads a slot, the number of a stream, and the stream.
pub(crate) fn stream(row: &[Cell]) -> Option<(Slot, u16, String)> {
    let [slot, number, stream] = row else { return None };
    Some((slot_of(slot)?, u16::try_from(number.number()?).ok()?, owned(stream)?))
}

/// Reads a slot and its MQTT session.
pub(crate) fn mqtt_session(row: &[Cell]) -> Option<(Slot, String)> {
    let [slot, session] = row else { return None };
    Some((slot_of(slot)?, owned(session)?))
}

/// Reads a slot, what it subscribes to, and the options of it.
pub(crate) fn mqtt_subscription(row: &[Cell]) -> Option<(Slot, GroupName, u64)> {
    let [slot, topic, options] = row else { return None };
    Some((slot_of(slot)?, GroupName::parse(topic.text()?).ok()?, options.number()?))
}

/// Reads a slot and a packet that is under way.
pub(crate) fn mqtt_packet(row: &[Cell]) -> Option<(Slot, MqttPacket)> {
    let [slot, kind, number] = row else { return None };
    let packet = match kind.number()? {
        0 => MqttPacket::Received(u16::try_from(number.number()?).ok()?),
        1 => MqttPacket::Released(number.number()?),
        _ => return None,
    };
    Some((slot_of(slot)?, packet))
}

/// Reads a row's number, its recipients, whether it is relayed, and its message's length in bytes.
pub(crate) fn log_row(row: &[Cell]) -> Option<LogRow> {
    let [row, recipients, relayed, bytes] = row else { return None };
    let (relayed, bytes) = (relayed.number()? != 0, usize::try_from(bytes.number()?).ok()?);
    Some(LogRow { row: row.number()?, recipients: recipients.blob()?.to_owned(), relayed, bytes })
}

/// Reads the number of a durable event, and the event.
pub(crate) fn durable_event(row: &[Cell]) -> Option<(u64, String)> {
    let [row, event] = row else { return None };
    Some((row.number()?, owned(event)?))
}

/// Reads a shard's number and that of a row of a log.
pub(crate) fn shard_row(row: &[Cell]) -> Option<(ShardId, u64)> {
    let [shard, row] = row else { return None };
    Some((ShardId(u16::try_from(shard.number()?).ok()?), row.number()?))
}

/// Reads a message, or the first part of one, and when it expires.
pub(crate) fn stored_message(row: &[Cell]) -> Option<StoredMessage> {
    let [message, expires] = row else { return None };
    let expires = expires.number().map(Timestamp::from_millis);
    Some(StoredMessage { message: owned(message)?, expires })
}

fn slot_of(cell: &Cell) -> Option<Slot> {
    cell.number().and_then(|slot| u32::try_from(slot).ok()).map(Slot)
}

fn owned(cell: &Cell) -> Option<String> {
    cell.text().map(str::to_owned)
}
