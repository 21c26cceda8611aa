use std::time::Duration;

use super::{ClientType, Operation, Refusal, SendOptions, TokenRequest};
use crate::data::TimeToLive;
use crate::encoding::{decode_parameter, decode_segment, parameters};
use crate::name::{ConnectionId, GroupName, HubName, UserId};

/// A path and method of the API, with the names in it not yet looked at: enough to know whether
/// the caller needs a token, and cheap enough to find out before that is checked.
///
/// The path is split before it is percent-decoded, so a name may hold any character. One slash at
/// its end and the case of its literals do not count. A path that is not the API's is refused as
/// unknown, one of the API's with another method with 405, as ASP.NET routes.
///
/// Source: REST spec, sections 1.2 and 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route<'a> {
    target: Target<'a>,
}

/// Names are as in the path, still encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target<'a> {
    Health,
    GenerateToken { hub: &'a str },
    SendToAll { hub: &'a str },
    SendToGroup { hub: &'a str, group: &'a str },
    SendToUser { hub: &'a str, user: &'a str },
    SendToConnection { hub: &'a str, connection: &'a str },
    Connection { hub: &'a str, connection: &'a str },
    Group { hub: &'a str, group: &'a str },
    User { hub: &'a str, user: &'a str },
}

/// The longest path of the API has this many segments.
const MAX_SEGMENTS: usize = 7;

impl<'a> Route<'a> {
    /// Finds the route of a raw path (before percent-decoding).
    ///
    /// # Errors
    /// [`Refusal::UnknownPath`] or [`Refusal::Method`].
    pub fn find(method: &str, path: &'a str) -> Result<Self, Refusal> {
        let path = path.strip_prefix('/').ok_or(Refusal::UnknownPath)?;
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut segments = [""; MAX_SEGMENTS];
        let mut given = path.split('/');
        let count = segments.iter_mut().zip(&mut given).map(|(slot, segment)| *slot = segment).count();
        if given.next().is_some() {
            return Err(Refusal::UnknownPath);
        }
        let segments = segments.get(..count).unwrap_or_default();

        let is = |segment: &str, name: &str| segment.eq_ignore_ascii_case(name);
        let target = match segments {
            [api, health] if is(api, "api") && is(health, "health") => Target::Health,
            [api, hubs, hub, rest @ ..] if is(api, "api") && is(hubs, "hubs") => match rest {
                [action] if is_action(action, "generateToken") => Target::GenerateToken { hub },
                [action] if is_action(action, "send") => Target::SendToAll { hub },
                [kind, group, rest @ ..] if is(kind, "groups") => match rest {
                    [] => Target::Group { hub, group },
                    [action] if is_action(action, "send") => Target::SendToGroup { hub, group },
                    _ => return Err(Refusal::UnknownPath),
                },
                [kind, user, rest @ ..] if is(kind, "users") => match rest {
                    [] => Target::User { hub, user },
                    [action] if is_action(action, "send") => Target::SendToUser { hub, user },
                    _ => return Err(Refusal::UnknownPath),
                },
                [kind, connection, rest @ ..] if is(kind, "connections") => match rest {
                    [] => Target::Connection { hub, connection },
                    [action] if is_action(action, "send") => Target::SendToConnection { hub, connection },
                    _ => return Err(Refusal::UnknownPath),
                },
                _ => return Err(Refusal::UnknownPath),
            },
            _ => return Err(Refusal::UnknownPath),
        };
        let allow = match target {
            Target::Health | Target::Connection { .. } | Target::Group { .. } | Target::User { .. } => "HEAD",
            Target::GenerateToken { .. }
            | Target::SendToAll { .. }
            | Target::SendToGroup { .. }
            | Target::SendToUser { .. }
            | Target::SendToConnection { .. } => "POST",
        };
        if method == allow { Ok(Self { target }) } else { Err(Refusal::Method { allow }) }
    }

    /// Whether the caller has to show a token.
    #[must_use]
    pub const fn needs_token(&self) -> bool {
        !matches!(self.target, Target::Health)
    }

    /// Checks the API's version, then names, then parameters. Parameters that an operation does
    /// not have are ignored.
    ///
    /// # Errors
    /// The [`Refusal`] to answer with.
    pub fn operation(self, query: Option<&str>) -> Result<Operation, Refusal> {
        let query = Query(query);
        query.check_version()?;
        Ok(match self.target {
            Target::Health => Operation::Health,
            Target::GenerateToken { hub } => {
                Operation::GenerateToken { hub: hub_name(hub)?, request: query.token_request()? }
            }
            Target::SendToAll { hub } => Operation::SendToAll {
                hub: hub_name(hub)?,
                options: query.send_options(Excluding::Allowed, Filtering::Allowed)?,
            },
            Target::SendToGroup { hub, group } => Operation::SendToGroup {
                hub: hub_name(hub)?,
                group: group_name(group)?,
                options: query.send_options(Excluding::Allowed, Filtering::Allowed)?,
            },
            Target::SendToUser { hub, user } => Operation::SendToUser {
                hub: hub_name(hub)?,
                user: user_id(user)?,
                options: query.send_options(Excluding::Unknown, Filtering::Allowed)?,
            },
            Target::SendToConnection { hub, connection } => Operation::SendToConnection {
                hub: hub_name(hub)?,
                connection: connection_id(connection)?,
                options: query.send_options(Excluding::Unknown, Filtering::Unknown)?,
            },
            Target::Connection { hub, connection } => {
                Operation::ConnectionExists { hub: hub_name(hub)?, connection: connection_id(connection)? }
            }
            Target::Group { hub, group } => {
                Operation::GroupExists { hub: hub_name(hub)?, group: group_name(group)? }
            }
            Target::User { hub, user } => Operation::UserExists { hub: hub_name(hub)?, user: user_id(user)? },
        })
    }
}

/// Whether a segment is `:name`, with the colon escaped or not.
fn is_action(segment: &str, name: &str) -> bool {
    let escaped = || segment.strip_prefix("%3A").or_else(|| segment.strip_prefix("%3a"));
    segment.strip_prefix(':').or_else(escaped).is_some_and(|action| action.eq_ignore_ascii_case(name))
}

fn hub_name(segment: &str) -> Result<HubName, Refusal> {
    HubName::parse(&decoded(segment, "hub")?).map_err(|_| Refusal::Hub)
}

fn group_name(segment: &str) -> Result<GroupName, Refusal> {
    GroupName::parse(decoded(segment, "group")?).map_err(|_| Refusal::Group)
}

fn user_id(segment: &str) -> Result<UserId, Refusal> {
    UserId::parse(decoded(segment, "userId")?).map_err(|_| Refusal::User)
}

fn connection_id(segment: &str) -> Result<ConnectionId, Refusal> {
    ConnectionId::parse(decoded(segment, "connectionId")?).map_err(|_| Refusal::Connection)
}

fn decoded(segment: &str, name: &'static str) -> Result<String, Refusal> {
    decode_segment(segment).ok_or(Refusal::Encoding { name })
}

/// Whether an operation has the parameter `excluded`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Excluding {
    Allowed,
    Unknown,
}

/// Whether an operation has the parameter `filter`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Filtering {
    Allowed,
    Unknown,
}

/// A raw query. The case of its names does not count.
#[derive(Clone, Copy)]
struct Query<'a>(Option<&'a str>);

impl<'a> Query<'a> {
    /// Every value of a parameter, in order.
    fn all(self, name: &'static str) -> impl Iterator<Item = Result<String, Refusal>> + use<'a> {
        let is_named = move |(key, _): &(&str, &str)| {
            key.eq_ignore_ascii_case(name)
                || (key.contains(['%', '+'])
                    && decode_parameter(key).is_some_and(|key| key.eq_ignore_ascii_case(name)))
        };
        let decode = move |(_, value)| decode_parameter(value).ok_or(Refusal::ParameterEncoding { name });
        parameters(self.0).filter(is_named).map(decode)
    }

    /// The value of a parameter that may stand there once.
    fn one(self, name: &'static str) -> Result<Option<String>, Refusal> {
        let mut values = self.all(name);
        let first = values.next().transpose()?;
        if values.next().is_some() { Err(Refusal::Repeated { name }) } else { Ok(first) }
    }

    /// A whole number, written in decimal digits and nothing else.
    fn number(self, name: &'static str, otherwise: Refusal) -> Result<Option<u64>, Refusal> {
        let Some(text) = self.one(name)? else { return Ok(None) };
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(otherwise);
        }
        text.parse().map(Some).map_err(|_| otherwise)
    }

    /// Without a version the newest is meant. They do not differ in what they serve.
    ///
    /// Source: REST spec, section 1.1.
    fn check_version(self) -> Result<(), Refusal> {
        match self.one("api-version")? {
            None => Ok(()),
            Some(version) if super::VERSIONS.contains(&version.as_str()) => Ok(()),
            Some(version) if super::PREVIEW_VERSIONS.contains(&version.as_str()) => Ok(()),
            Some(_) => Err(Refusal::ApiVersion),
        }
    }

    fn send_options(self, excluding: Excluding, filtering: Filtering) -> Result<SendOptions, Refusal> {
        let ttl = self.number("messageTtlSeconds", Refusal::TimeToLive)?.unwrap_or(0);
        let ttl = TimeToLive::from_seconds(ttl).map_err(|_| Refusal::TimeToLive)?;
        // One that would be left out unseen would reach people that it was to spare.
        if filtering == Filtering::Allowed && self.one("filter")?.is_some_and(|filter| !filter.is_empty()) {
            return Err(Refusal::Filter);
        }
        let mut excluded = Vec::new();
        if excluding == Excluding::Allowed {
            for id in self.all("excluded") {
                // A blank one excludes nobody.
                excluded.extend(ConnectionId::parse(id?).ok());
            }
        }
        Ok(SendOptions { excluded, ttl })
    }

    /// Source: REST spec, section 4.
    fn token_request(self) -> Result<TokenRequest, Refusal> {
        let user_id = match self.one("userId")? {
            Some(user) if !user.is_empty() => Some(UserId::parse(user).map_err(|_| Refusal::User)?),
            Some(_) | None => None,
        };
        let group = |group: Result<String, _>| GroupName::parse(group?).map_err(|_| Refusal::Group);
        let minutes = self.number("minutesToExpire", Refusal::MinutesToExpire)?;
        let lifetime = match minutes.unwrap_or(super::DEFAULT_TOKEN_MINUTES) {
            minutes @ 1..=super::MAX_TOKEN_MINUTES => Duration::from_secs(minutes * 60),
            _ => return Err(Refusal::MinutesToExpire),
        };
        let client_type = match self.one("clientType")? {
            None => ClientType::Default,
            Some(name) if name.eq_ignore_ascii_case("Default") => ClientType::Default,
            Some(name) if name.eq_ignore_ascii_case("MQTT") => ClientType::Mqtt,
            Some(_) => return Err(Refusal::ClientType),
        };
        Ok(TokenRequest {
            user_id,
            roles: self.all("role").collect::<Result<_, _>>()?,
            groups: self.all("group").map(group).collect::<Result<_, _>>()?,
            lifetime,
            client_type,
        })
    }
}
