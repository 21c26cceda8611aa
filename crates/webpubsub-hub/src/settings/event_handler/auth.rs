//! How a handler knows that the service calls, beside the signature.

use std::fmt;

use webpubsub_protocol::data::is_token_byte;
use webpubsub_protocol::json::{Json, Writer};

use super::super::{SettingsError, object, wrong};
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

    fn read(value: Json<'_>) -> Result<Self, SettingsError> {
        if let Some(text) = value.text() {
            let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && text.trim() == text;
            if text.is_empty() || text.len() > MAX_SECRET_BYTES || !is_plain {
                return Err(wrong("", "1 to 4096 characters of printable ASCII, or {\"secret\":\"NAME\"}"));
            }
            return Ok(Self::Text(text.into_owned()));
        }
        let expected = "a string, or {\"secret\":\"NAME\"} with the name of a secret of the worker";
        let given = object(value, &["secret"], "").map_err(|_| wrong("", expected))?;
        let secret = given.get("secret").and_then(Json::text).unwrap_or_default();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if !matches!(secret.len(), 1..=128) || !secret.bytes().all(is_plain) {
            return Err(wrong("secret", "the name of a secret of the worker: letters, digits and _"));
        }
        if secret.to_ascii_uppercase().starts_with("WEBPUBSUB_") {
            return Err(wrong("secret", "another one: the service's own keys are not for handlers"));
        }
        Ok(Self::Named(secret.into_owned()))
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

    pub(super) fn read(value: Json<'_>) -> Result<Option<Self>, SettingsError> {
        let known = ["type", "token", "name", "value", "managedIdentity"];
        let unknown = "left out: it is no part of `auth` of this type";
        let given = object(value, &known, unknown)?;
        let kind = given.get("type").and_then(Json::text).unwrap_or_default();
        let is = |known: &str| kind.eq_ignore_ascii_case(known);
        let wanted: &[&str] = if is("none") {
            &[]
        } else if is("bearer") {
            &["token"]
        } else if is("header") {
            &["value", "name"]
        } else {
            return Err(wrong("type", "`None`, `Bearer` or `Header`: there are no managed identities here"));
        };
        let is_unwanted = |name: &&&str| given.get(name).is_some() && !wanted.contains(*name);
        if let Some(name) = ["token", "name", "value"].iter().find(is_unwanted) {
            return Err(wrong(name, unknown));
        }
        let (header, scheme, member) = match wanted {
            [] => return Ok(None),
            [member] => ("Authorization".to_owned(), BEARER, member),
            [member, ..] => (header(given.get("name"))?, "", member),
        };
        let secret = given.get(member).ok_or_else(|| wrong(member, "there"))?;
        let secret = HandlerSecret::read(secret).map_err(|error| error.under(member))?;
        Ok(Some(Self { header, scheme, secret }))
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
fn header(name: Option<Json<'_>>) -> Result<String, SettingsError> {
    let name = name.and_then(Json::text).unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    let is_own = |own: &&str| if own.ends_with('-') { lower.starts_with(own) } else { lower == *own };
    let is_name = matches!(name.len(), 1..=128) && name.bytes().all(is_token_byte);
    if !is_name || OWN_HEADERS.iter().any(is_own) {
        return Err(wrong("name", "the name of a header that the service does not set itself"));
    }
    Ok(name.into_owned())
}

/// Leaves the secret out.
impl fmt::Debug for HandlerAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerAuth").field("header", &self.header).finish_non_exhaustive()
    }
}
