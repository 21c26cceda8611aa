//! What the directory of a hub, or the register of all hubs, is asked.

use webpubsub_protocol::json::{Json, Members, Writer};
use webpubsub_protocol::name::HubName;
use webpubsub_shard::HubSettings;

use super::{ObjectRequest, ObjectResponse};
use crate::directory::Handler;
use crate::keys::KeyChange;
use crate::sign_in::SignIn;

/// What the host or a shard asks a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectoryCall {
    /// Say the hub's shards and settings: [`DirectoryAnswer::Text`], a [`HubView`](crate::HubView).
    View,
    /// Take these settings, or `None` for those of the configuration: [`DirectoryAnswer::Taken`].
    ChangeSettings(Option<HubSettings>),
    /// Say whether an event handler wants events of this service: [`DirectoryAnswer::Allowed`].
    Validate(Handler),
    /// Keep the record of an attempt to call an event handler: [`DirectoryAnswer::Taken`].
    KeepDelivery(String),
    /// Say what became of the newest such attempts, of its own and of the hub's shards: [`DirectoryAnswer::Text`], JSON.
    Deliveries,
    /// Have every shard close its sockets, since the service is about to stop: [`DirectoryAnswer::Taken`].
    GoAway,
    /// Of the register: take the name of a hub: [`DirectoryAnswer::Taken`].
    AddHub(HubName),
    /// Of the register: say whether somebody may go on signing in: [`DirectoryAnswer::Allowed`].
    SignIn(SignIn),
    /// Of the register: say which keys were regenerated: [`DirectoryAnswer::Text`], a
    /// [`StoredKeys`](crate::StoredKeys), or nothing.
    Keys,
    /// Of the register: change the keys. The answer is that of [`DirectoryCall::Keys`].
    ChangeKeys(KeyChange),
    /// Of the register: say the names of all hubs: [`DirectoryAnswer::Text`], a line each.
    Hubs,
}

/// What a directory answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectoryAnswer {
    /// Whether it is done everywhere. Where it is not, that is an answer as of an object that failed.
    Taken(bool),
    /// Whether a handler wants events.
    Allowed(bool),
    /// What was asked for.
    Text(String),
}

const VIEW: &str = "/view";
const SETTINGS: &str = "/settings";
const VALIDATION: &str = "/validation";
const DELIVERY: &str = "/delivery";
const DELIVERIES: &str = "/deliveries";
const GO_AWAY: &str = "/goAway";
const HUB: &str = "/hub";
const HUBS: &str = "/hubs";
const SIGN_IN: &str = "/signIn";
const KEYS: &str = "/keys";
const CHANGE_KEYS: &str = "/changeKeys";

impl DirectoryCall {
    /// Writes the call.
    #[must_use]
    pub fn encode(&self) -> ObjectRequest {
        match self {
            Self::View => ObjectRequest::bare(VIEW),
            Self::ChangeSettings(settings) => {
                let settings = settings.as_ref().map_or_else(|| "null".to_owned(), HubSettings::encode);
                ObjectRequest::of(SETTINGS, settings)
            }
            Self::Validate(handler) => {
                let mut body = Writer::object();
                body.text("url", &handler.url).text("origin", &handler.origin);
                ObjectRequest::of(VALIDATION, body.finish())
            }
            Self::KeepDelivery(delivery) => ObjectRequest::of(DELIVERY, delivery.clone()),
            Self::Deliveries => ObjectRequest::bare(DELIVERIES),
            Self::GoAway => ObjectRequest::bare(GO_AWAY),
            Self::AddHub(hub) => ObjectRequest::of(HUB, hub.as_str().to_owned()),
            Self::Hubs => ObjectRequest::bare(HUBS),
            Self::Keys => ObjectRequest::bare(KEYS),
            Self::ChangeKeys(change) => ObjectRequest::of(CHANGE_KEYS, change.encode()),
            Self::SignIn(attempt) => ObjectRequest::of(SIGN_IN, attempt.encode()),
        }
    }

    /// Reads what [`DirectoryCall::encode`] wrote, whose `body` is empty for none; `None` for anything else.
    #[must_use]
    pub fn decode(path: &str, body: &str) -> Option<Self> {
        Some(match path {
            VIEW => Self::View,
            SETTINGS if body == "null" => Self::ChangeSettings(None),
            SETTINGS => Self::ChangeSettings(Some(HubSettings::decode(body).ok()?)),
            VALIDATION => {
                let body = Members::parse(body)?;
                let text = |name| body.get(name).and_then(Json::text).map(String::from);
                Self::Validate(Handler { url: text("url")?, origin: text("origin")? })
            }
            DELIVERY => Self::KeepDelivery(body.to_owned()),
            DELIVERIES => Self::Deliveries,
            GO_AWAY => Self::GoAway,
            HUB => Self::AddHub(HubName::parse(body).ok()?),
            HUBS => Self::Hubs,
            KEYS => Self::Keys,
            CHANGE_KEYS => Self::ChangeKeys(KeyChange::decode(body)?),
            SIGN_IN => Self::SignIn(SignIn::decode(body)?),
            _ => return None,
        })
    }
}

impl DirectoryAnswer {
    /// Writes the answer.
    #[must_use]
    pub fn encode(self) -> ObjectResponse {
        match self {
            Self::Taken(true) | Self::Allowed(true) => ObjectResponse::empty(204),
            Self::Taken(false) => ObjectResponse::empty(503),
            Self::Allowed(false) => ObjectResponse::empty(403),
            Self::Text(text) => ObjectResponse::text(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_reads_each_call_as_it_was_made() {
        let settings = HubSettings { shards: Some(3), ..HubSettings::default() };
        let handler = Handler { url: "http://a.example/\"".to_owned(), origin: "b.example,c".to_owned() };
        for call in [
            DirectoryCall::View,
            DirectoryCall::ChangeSettings(None),
            DirectoryCall::ChangeSettings(Some(settings)),
            DirectoryCall::Validate(handler),
            DirectoryCall::KeepDelivery(r#"{"time":1}"#.to_owned()),
            DirectoryCall::Deliveries,
            DirectoryCall::GoAway,
            DirectoryCall::AddHub(HubName::parse("chat").unwrap()),
            DirectoryCall::Hubs,
            DirectoryCall::SignIn(SignIn::Secret { address: "1.2.3.4".to_owned() }),
            DirectoryCall::Keys,
            DirectoryCall::ChangeKeys(KeyChange::Rotate("k".to_owned())),
        ] {
            let ObjectRequest { path, body } = call.encode();
            assert_eq!(DirectoryCall::decode(path, &body), Some(call));
        }
    }

    #[test]
    fn a_call_that_cannot_be_read_is_none() {
        for (path, body) in [
            (SETTINGS, ""),
            (SETTINGS, "[]"),
            (VALIDATION, ""),
            (VALIDATION, r#"{"url":"http://a"}"#),
            (HUB, "*"),
            (SIGN_IN, "{}"),
            ("/api/health", ""),
        ] {
            assert_eq!(DirectoryCall::decode(path, body), None, "{path} {body}");
        }
    }

    #[test]
    fn what_is_not_taken_everywhere_reads_as_a_failure() {
        let is_success = |answer: DirectoryAnswer| (200..300).contains(&answer.encode().status);
        assert!(is_success(DirectoryAnswer::Taken(true)) && is_success(DirectoryAnswer::Allowed(true)));
        assert!(!is_success(DirectoryAnswer::Taken(false)) && !is_success(DirectoryAnswer::Allowed(false)));
        assert_eq!(
            DirectoryAnswer::Text("chat".to_owned()).encode(),
            ObjectResponse::text("chat".to_owned())
        );
    }
}
