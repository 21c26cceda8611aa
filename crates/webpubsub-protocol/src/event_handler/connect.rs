//! The body of `connect` and what its answer says.

use crate::client::Subprotocol;
use crate::encoding::{decode_parameter_lossily, parameters};
use crate::event_handler::{CallFailure, HandlerAnswer};
use crate::json::{Json, Members, Writer};
use crate::name::{GroupName, UserId};

/// What a client asks for, as its handler sees it.
#[derive(Debug, Clone, Copy)]
pub struct ConnectBody<'a> {
    /// The claims of its token, each with its values as text.
    pub claims: &'a [(String, Vec<String>)],
    /// Its URL's query as it came.
    pub query: Option<&'a str>,
    /// Names and values of its headers.
    pub headers: &'a [(String, String)],
    /// Its `Sec-WebSocket-Protocol`.
    pub offer: Option<&'a str>,
}

/// Parameters of a client's URL that are credentials.
const SECRET_PARAMETERS: [&str; 2] = ["access_token", "awps_reconnection_token"];

/// What the names of headers begin with that a platform adds: Cloudflare's and Azure's.
const INTERNAL_PREFIXES: [&str; 2] = ["cf-", "x-asrs-internal-"];

/// Other headers that are credentials, or that the platform adds.
const INTERNAL_HEADERS: [&str; 6] =
    ["authorization", "proxy-authorization", "cdn-loop", "x-real-ip", "x-forwarded-proto", "true-client-ip"];

impl ConnectBody<'_> {
    /// Writes the body.
    ///
    /// Source: docs/spec/cloudevents.md#connect.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut query = Vec::new();
        for (name, value) in parameters(self.query) {
            let name = decode_parameter_lossily(name);
            if !SECRET_PARAMETERS.iter().any(|secret| name.eq_ignore_ascii_case(secret)) {
                add(&mut query, name, decode_parameter_lossily(value));
            }
        }
        let mut headers = Vec::new();
        for (name, value) in self.headers {
            let lower = name.to_ascii_lowercase();
            let is_internal = INTERNAL_PREFIXES.iter().any(|prefix| lower.starts_with(prefix))
                || INTERNAL_HEADERS.contains(&lower.as_str());
            if !is_internal {
                add(&mut headers, name.clone(), value.clone());
            }
        }
        let mut body = Writer::object();
        body.json("claims", &map(self.claims));
        body.json("query", &map(&query));
        body.json("headers", &map(&headers));
        let offered: Vec<_> = Subprotocol::offered(self.offer).collect();
        body.json("subprotocols", &Writer::texts(&offered));
        body.json("clientCertificates", "[]");
        body.finish()
    }
}

/// Adds a value to those of its name.
fn add(map: &mut Vec<(String, Vec<String>)>, name: String, value: String) {
    match map.iter_mut().find(|(known, _)| *known == name) {
        Some((_, values)) => values.push(value),
        None => map.push((name, vec![value])),
    }
}

fn map(entries: &[(String, Vec<String>)]) -> String {
    let mut map = Writer::object();
    for (name, values) in entries {
        map.json(name, &Writer::texts(values));
    }
    map.finish()
}

/// What a handler that lets a client in says of it. `None` keeps what the token says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnectAnswer {
    /// The user; an empty one is none.
    pub user: Option<Option<UserId>>,
    /// Groups, if there are any.
    pub groups: Option<Vec<GroupName>>,
    /// Roles.
    pub roles: Option<Vec<String>>,
    /// The subprotocol's name.
    pub subprotocol: Option<String>,
}

impl ConnectAnswer {
    /// Reads a successful answer, which is JSON whatever its content type says. Names are found in
    /// any case, and unknown ones are ignored.
    ///
    /// # Errors
    /// The [`CallFailure`] that the answer amounts to; the client is answered 500.
    ///
    /// Source: docs/spec/cloudevents.md#connect.
    pub fn parse(answer: &HandlerAnswer) -> Result<Self, CallFailure> {
        answer.check_state()?;
        if answer.status == 204 || answer.body.is_empty() {
            return Ok(Self::default());
        }
        let body = str::from_utf8(&answer.body).map_err(|_| CallFailure::NotReadable)?;
        if Json::parse(body).is_some_and(Json::is_null) {
            return Ok(Self::default());
        }
        Self::read(&Members::parse(body).ok_or(CallFailure::NotReadable)?)
    }

    fn read(members: &Members<'_>) -> Result<Self, CallFailure> {
        let mut said = Self::default();
        for (name, value) in &members.0 {
            let is = |known: &str| name.eq_ignore_ascii_case(known);
            if value.is_null() {
                continue;
            }
            if is("userId") {
                said.user = Some(user(*value).ok_or(CallFailure::InvalidUser)?);
            } else if is("groups") {
                let groups = groups(*value).ok_or(CallFailure::InvalidGroup)?;
                said.groups = Some(groups).filter(|groups| !groups.is_empty());
            } else if is("roles") {
                said.roles = Some(value.texts().ok_or(CallFailure::InvalidRole)?);
            } else if is("subprotocol") {
                let name = value.text().ok_or(CallFailure::SubprotocolNotOffered)?;
                said.subprotocol = Some(name.into_owned()).filter(|name| !name.is_empty());
            }
        }
        Ok(said)
    }
}

/// A user, or `Some(None)` for an empty text, which is no user.
fn user(value: Json<'_>) -> Option<Option<UserId>> {
    let text = value.text()?;
    if text.is_empty() { Some(None) } else { UserId::parse(text).ok().map(Some) }
}

fn groups(value: Json<'_>) -> Option<Vec<GroupName>> {
    value.list(|group| GroupName::parse(group.text()?.into_owned()).ok())
}
