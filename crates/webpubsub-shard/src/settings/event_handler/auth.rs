//! How a handler knows that the service calls, beside the signature.

use std::fmt;

use webpubsub_protocol::data::is_token_byte;
use webpubsub_protocol::json::{Json, Writer};

use super::super::reader::{Given, Reader, Source};
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
    /// The worker's secret or variable with this name, of those that are for handlers; see
    /// [`HandlerSecret::is_for_handlers`].
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

    /// What the names of the worker's secrets and variables that handlers may be given begin with.
    pub const PREFIX: &str = "HANDLER_SECRET_";

    /// Whether a secret or variable of the worker with this name is meant for handlers: who may set a
    /// hub must not learn any other.
    #[must_use]
    pub fn is_for_handlers(name: &str) -> bool {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        name.strip_prefix(Self::PREFIX)
            .is_some_and(|rest| matches!(rest.len(), 1..=128) && rest.bytes().all(is_plain))
    }

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
        let mut named = None;
        if let Some(value) = value.filter(|value| value.as_str().starts_with('{')) {
            let given = reader.object(Some(value), &["secret"], "left out: it is no part of a secret");
            named = given.get("secret").and_then(Json::text);
            if let (Some(name), Source::Given) = (&named, reader.source)
                && !Self::is_for_handlers(name)
            {
                reader.wrong_at(
                    given.written("secret"),
                    "the name of a secret that is meant for handlers: HANDLER_SECRET_ and up to 128 letters, digits and _",
                );
            }
        }
        let Some(name) = named else {
            reader.wrong("a string, or {\"secret\":\"NAME\"} with the name of a secret of the worker");
            return Self::Named(String::new());
        };
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

    /// Reads a type and what belongs to it; `None` for none, and for what is no `auth`, which the reader
    /// notes.
    pub(super) fn read(reader: &mut Reader, value: Json<'_>) -> Option<Self> {
        let unknown = "left out: it is no part of `auth` of this type";
        let names = ["type", "managedIdentity", "token", "name", "value"];
        let given = reader.object(Some(value), &names, unknown);
        let kind = given.get("type").map(|kind| kind.text().unwrap_or_default());
        let is = |known: &str| kind.as_ref().is_some_and(|kind| kind.eq_ignore_ascii_case(known));
        let parts: &[&str] = if is("none") {
            &["type", "managedIdentity"]
        } else if is("bearer") {
            &["type", "token"]
        } else if is("header") {
            &["type", "value", "name"]
        } else if kind.is_none() && given.get("managedIdentity").is_none() {
            &[]
        } else {
            let expected = "`None`, or `Bearer` or `Header` with a secret that the handler knows: there are no managed identities here";
            reader.wrong_at(given.written("type"), expected);
            return None;
        };
        if let Some(name) = names.iter().find(|name| !parts.contains(name) && given.get(name).is_some()) {
            reader.wrong_at(given.written(name), unknown);
        }
        let member = parts.get(1).filter(|_| !is("none"))?;
        let (header, scheme) =
            if is("bearer") { ("Authorization".to_owned(), BEARER) } else { (header(reader, &given), "") };
        reader.enter(given.written(member));
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
fn header(reader: &mut Reader, given: &Given<'_>) -> String {
    let name = given.get("name").and_then(Json::text).unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    let is_own = |own: &&str| if own.ends_with('-') { lower.starts_with(own) } else { lower == *own };
    let is_name = matches!(name.len(), 1..=128) && name.bytes().all(is_token_byte);
    if !is_name || OWN_HEADERS.iter().any(is_own) {
        reader.wrong_at(given.written("name"), "the name of a header that the service does not set itself");
    }
    name.into_owned()
}

/// Leaves the secret out.
impl fmt::Debug for HandlerAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerAuth").field("header", &self.header).finish_non_exhaustive()
    }
}
