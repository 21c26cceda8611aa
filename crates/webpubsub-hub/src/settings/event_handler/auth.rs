//! How a handler knows that the service calls, beside the signature.

use std::fmt;

use webpubsub_protocol::data::is_token_byte;
use webpubsub_protocol::json::{Json, Members, Writer};

use super::super::reader::Reader;
use super::Secrets;

/// A header that every request to a handler carries.
#[derive(Clone, PartialEq, Eq)]
pub struct HandlerAuth {
    /// The header's name: `Authorization` for a bearer token.
    pub header: String,
    /// What stands before the secret in the header's value: `Bearer ` or nothing.
    pub scheme: &'static str,
    /// The secret.
    pub secret: HandlerSecret,
}

/// A secret, or where it is.
#[derive(Clone, PartialEq, Eq)]
pub enum HandlerSecret {
    /// This text.
    Text(String),
    /// The worker's secret with this name.
    Named(String),
}

/// What stands before a bearer token.
const BEARER: &str = "Bearer ";

/// Most bytes of a secret.
const MAX_SECRET_BYTES: usize = 4096;

/// Headers that say what the request is, and beginnings of such.
const OWN_HEADERS: [&str; 11] = [
    "ce-",
    "webhook-",
    "x-webpubsub-",
    "x-ms-client-request-id",
    "content-",
    "cookie",
    "host",
    "connection",
    "transfer-encoding",
    "upgrade",
    "expect",
];

impl HandlerSecret {
    /// What is shown in place of a secret. In settings it stands for the secret known before.
    pub const HIDDEN: &str = "***";

    /// Whether this stands for the secret known before.
    pub(in super::super) fn is_hidden(&self) -> bool {
        matches!(self, Self::Text(text) if text == Self::HIDDEN)
    }

    fn read(reader: &mut Reader, value: Option<Json<'_>>) -> Self {
        if let Some(text) = value.and_then(Json::text) {
            let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && text.trim() == text;
            if text.is_empty() || text.len() > MAX_SECRET_BYTES || !is_plain {
                reader.wrong("1 to 4096 characters of printable ASCII, or {\"secret\":\"NAME\"}");
            }
            return Self::Text(text.into_owned());
        }
        let given = value.and_then(|value| Members::parse(value.as_str())).unwrap_or_default();
        let name = match given.0.as_slice() {
            [(name, value)] if name == "secret" => value.text().unwrap_or_default(),
            _ => {
                reader.wrong("a string, or {\"secret\":\"NAME\"} with the name of a secret of the worker");
                return Self::Named(String::new());
            }
        };
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if !matches!(name.len(), 1..=128) || !name.bytes().all(is_plain) {
            reader.wrong_at("secret", "the name of a secret of the worker: letters, digits and _");
        }
        if name.to_ascii_uppercase().starts_with("WEBPUBSUB_") {
            reader.wrong_at("secret", "another one: the service's own keys are not for handlers");
        }
        Self::Named(name.into_owned())
    }
}

impl HandlerAuth {
    /// Whether the other one is of the same type.
    pub(in super::super) fn is_like(&self, other: &Self) -> bool {
        self.scheme == other.scheme
    }

    /// The name of the member that has the secret.
    pub(in super::super) fn secret_member(&self) -> &'static str {
        if self.scheme == BEARER { "token" } else { "value" }
    }

    pub(super) fn read(reader: &mut Reader, value: Json<'_>) -> Option<Self> {
        let unknown = "left out: it is no part of `auth` of this type";
        let members = reader.members(Some(value));
        let kind = members.get("type").and_then(Json::text).unwrap_or_default();
        let is = |known: &str| kind.eq_ignore_ascii_case(known);
        let known: &[&str] = if is("none") {
            &["type"]
        } else if is("bearer") {
            &["type", "token"]
        } else if is("header") {
            &["type", "value", "name"]
        } else {
            reader.wrong_at("type", "`None`, `Bearer` or `Header`: there are no managed identities here");
            return None;
        };
        let given = reader.object(Some(value), known, unknown);
        let member = known.get(1)?;
        let (header, scheme) = match given.get("name") {
            _ if known.len() == 2 => ("Authorization".to_owned(), BEARER),
            name => (header(reader, name), ""),
        };
        reader.enter(member);
        let secret = HandlerSecret::read(reader, given.get(member));
        reader.leave();
        Some(Self { header, scheme, secret })
    }

    pub(super) fn write(&self, secrets: Secrets) -> String {
        let mut auth = Writer::object();
        if self.scheme == BEARER {
            auth.text("type", "Bearer");
        } else {
            auth.text("type", "Header").text("name", &self.header);
        }
        match &self.secret {
            HandlerSecret::Text(text) => {
                let text = if secrets == Secrets::Hidden { HandlerSecret::HIDDEN } else { text };
                auth.text(self.secret_member(), text)
            }
            HandlerSecret::Named(name) => {
                let mut named = Writer::object();
                named.text("secret", name);
                auth.json(self.secret_member(), &named.finish())
            }
        };
        auth.finish()
    }
}

/// The name of a header that is free.
fn header(reader: &mut Reader, name: Option<Json<'_>>) -> String {
    let name = name.and_then(Json::text).unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    let is_own = |own: &&str| if own.ends_with('-') { lower.starts_with(own) } else { lower == *own };
    let is_name = matches!(name.len(), 1..=128) && name.bytes().all(is_token_byte);
    if !is_name || OWN_HEADERS.iter().any(is_own) {
        reader.wrong_at("name", "the name of a header that the service does not set itself");
    }
    name.into_owned()
}

/// Leaves the secret out.
impl fmt::Debug for HandlerAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerAuth").field("header", &self.header).finish_non_exhaustive()
    }
}
