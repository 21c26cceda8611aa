//! Durable events as they stand on disk.

use webpubsub_protocol::client::Subprotocol;
use webpubsub_protocol::event_handler::{Event, Physical, Subject};
use webpubsub_protocol::json::{Json, Members, Writer};
use webpubsub_protocol::name::{ConnectionId, GroupName, UserId};
use webpubsub_protocol::time::Timestamp;

use crate::ack::AckCache;
use crate::event_queue::{ClosedConnection, ReplyTarget, Waiting};
use crate::snapshot::EventContext;

/// Writes a durable event with everything that its request carries: its connection may be gone before it
/// is delivered.
pub(crate) fn encode(subject: &Subject, event: &Event, number: u64, time: Timestamp) -> String {
    let mut form = Writer::object();
    form.text("connection", subject.connection.as_str());
    form.text("event", event.name()).number("number", number).number("time", time.as_millis());
    let about = match event {
        Event::Joined { group } | Event::Left { group } => group.as_str(),
        Event::Disconnected { reason } => reason,
        Event::MqttDisconnected { body } => body,
        Event::Connect { .. }
        | Event::MqttConnect { .. }
        | Event::Connected
        | Event::User { .. }
        | Event::MqttUser(_) => "",
    };
    form.text("about", about).text("origin", &subject.origin);
    let optional = [
        ("user", subject.user.as_ref().map(UserId::as_str)),
        ("subprotocol", subject.subprotocol.as_deref()),
        ("state", subject.state.as_deref()),
        ("physical", subject.mqtt.as_ref().map(|physical| physical.connection.as_str())),
        ("session", subject.mqtt.as_ref().and_then(|physical| physical.session.as_deref())),
    ];
    for (name, text) in optional {
        if let Some(text) = text {
            form.text(name, text);
        }
    }
    form.text("cookies", &subject.cookies.encode());
    form.finish()
}

/// Reads what [`encode`] wrote; `None` for anything else.
pub(crate) fn decode(row: u64, text: &str) -> Option<(ClosedConnection, Waiting)> {
    let members = Members::parse(text)?;
    let text = |name| Some(members.get(name).and_then(Json::text)?.into_owned());
    let number = |name| members.get(name).and_then(Json::unsigned);
    let about = text("about")?;
    let mqtt = text("physical").map(|connection| Physical { connection, session: text("session") });
    let event = match text("event")?.as_str() {
        "disconnected" if mqtt.is_some() => Event::MqttDisconnected { body: about },
        "connected" => Event::Connected,
        "disconnected" => Event::Disconnected { reason: about },
        "joined" => Event::Joined { group: GroupName::parse(about).ok()? },
        "left" => Event::Left { group: GroupName::parse(about).ok()? },
        _ => return None,
    };
    let user = match text("user") {
        Some(user) => Some(UserId::parse(user).ok()?),
        None => None,
    };
    let closed = ClosedConnection {
        id: ConnectionId::parse(text("connection")?).ok()?,
        user,
        // Its name is in `custom_subprotocol`.
        subprotocol: Subprotocol::Simple,
        acks: AckCache::default(),
        mqtt,
        context: EventContext {
            origin: text("origin")?,
            custom_subprotocol: text("subprotocol"),
            state: text("state"),
            cookies: text("cookies")?,
            events: number("number")?.saturating_add(1),
        },
    };
    let time = Timestamp::from_millis(number("time")?);
    Some((closed, Waiting::new(event, number("number")?, time, ReplyTarget::DurableEvent(row))))
}

#[cfg(test)]
mod tests {
    use webpubsub_protocol::event_handler::Cookies;

    use super::*;
    use crate::shard_id::ShardId;

    fn subject() -> Subject {
        Subject {
            connection: ShardId(3).connection_id([9; 16]),
            user: None,
            subprotocol: None,
            origin: String::new(),
            state: None,
            cookies: Cookies::default(),
            mqtt: None,
        }
    }

    #[test]
    fn the_end_of_an_mqtt_session_survives_with_its_socket() {
        for session in [None, Some("s".to_owned())] {
            let mqtt = Some(Physical { connection: "p".into(), session });
            let subject = Subject { mqtt, ..subject() };
            let event = Event::MqttDisconnected { body: "{\"reason\":null}".into() };
            let text = encode(&subject, &event, 4, Timestamp::from_millis(7));
            let (closed, waiting) = decode(5, &text).unwrap();
            assert_eq!((waiting.event, closed.mqtt), (event, subject.mqtt));
        }
    }

    #[test]
    fn a_durable_event_survives_on_disk_with_its_context() {
        let mut cookies = Cookies::default();
        let now = Timestamp::from_millis(7);
        assert!(cookies.take(now, "https://example.com/", &["a=\"1\"".to_owned()]));
        let full = Subject {
            user: Some(UserId::parse("ålice \"1\"\n").unwrap()),
            subprotocol: Some("chess".into()),
            origin: "chat.example.com:8080".into(),
            state: Some("{}".into()),
            cookies,
            ..subject()
        };
        let group = GroupName::parse("grøup\\").unwrap();
        let events = [
            Event::Connected,
            Event::Joined { group: group.clone() },
            Event::Left { group },
            Event::Disconnected { reason: "\u{1}".into() },
        ];
        for subject in [full, subject()] {
            for event in &events {
                let text = encode(&subject, event, u64::MAX, now);
                let (closed, waiting) = decode(5, &text).unwrap();
                assert_eq!((&waiting.event, waiting.number, waiting.time), (event, u64::MAX, now));
                assert_eq!(waiting.reply_to, ReplyTarget::DurableEvent(5));
                assert_eq!((closed.id, closed.user), (subject.connection.clone(), subject.user.clone()));
                assert_eq!(closed.context.custom_subprotocol, subject.subprotocol);
                assert_eq!(
                    (closed.context.origin, closed.context.state),
                    (subject.origin.clone(), subject.state.clone())
                );
                assert_eq!(closed.context.cookies, subject.cookies.encode());
            }
        }
    }
}
