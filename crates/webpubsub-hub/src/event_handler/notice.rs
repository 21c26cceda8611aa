//! A notice as it waits on disk.

use webpubsub_protocol::client::Subprotocol;
use webpubsub_protocol::event_handler::{Event, Subject};
use webpubsub_protocol::json::{Json, Members, Writer};
use webpubsub_protocol::name::{ConnectionId, GroupName, UserId};
use webpubsub_protocol::time::Timestamp;

use super::lane::{Awaited, Past, Waiting};
use crate::ack::AckCache;
use crate::snapshot::ToldRecord;

/// Writes a notice with everything that is told of its connection, which may be gone before it is told.
pub(crate) fn encode(subject: &Subject, event: &Event, number: u64, time: Timestamp) -> String {
    let mut notice = Writer::object();
    notice.text("connection", subject.connection.as_str());
    notice.text("event", event.name()).number("number", number).number("time", time.as_millis());
    let about = match event {
        Event::Joined { group } | Event::Left { group } => group.as_str(),
        Event::Disconnected { reason } => reason,
        Event::Connect { .. } | Event::Connected | Event::User { .. } => "",
    };
    notice.text("about", about).text("origin", &subject.origin);
    let optional = [
        ("user", subject.user.as_ref().map(UserId::as_str)),
        ("subprotocol", subject.subprotocol.as_deref()),
        ("state", subject.state.as_deref()),
    ];
    for (name, text) in optional {
        if let Some(text) = text {
            notice.text(name, text);
        }
    }
    notice.text("cookies", &subject.cookies.encode());
    notice.finish()
}

/// Reads what [`encode`] wrote; `None` for anything else.
pub(crate) fn decode(row: u64, text: &str) -> Option<(Past, Waiting)> {
    let members = Members::parse(text)?;
    let text = |name| Some(members.get(name).and_then(Json::text)?.into_owned());
    let number = |name| members.get(name).and_then(Json::unsigned);
    let about = text("about")?;
    let event = match text("event")?.as_str() {
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
    let past = Past {
        id: ConnectionId::parse(text("connection")?).ok()?,
        user,
        // Its name is what is told of it.
        subprotocol: Subprotocol::Simple,
        acks: AckCache::default(),
        told: ToldRecord {
            origin: text("origin")?,
            custom_subprotocol: text("subprotocol"),
            state: text("state"),
            cookies: text("cookies")?,
            events: number("number")?.saturating_add(1),
        },
    };
    let time = Timestamp::from_millis(number("time")?);
    Some((past, Waiting::new(event, number("number")?, time, Awaited::Notice(row))))
}
