//! From a request to an operation: routing, and reading path, query and body.

use std::time::Duration;

use super::table::{self, HubKind, Kind, Names};
use super::{
    ClientType, CloseOptions, HubOperation, Operation, PageRequest, Refusal, SendOptions, TokenRequest,
};
use crate::data::TimeToLive;
use crate::encoding::{decode_parameter, decode_segment, parameters};
use crate::filter::Filter;
use crate::limits::{MAX_CONTINUATION_TOKEN_BYTES, MAX_PAGE_SIZE, MAX_TOP};
use crate::name::{ConnectionId, GroupName, HubName, UserId};
use crate::role::PermissionType;

/// A path and method of the API, with the names in it not yet looked at: enough to know whether
/// the caller needs a token, and cheap enough to find out before that is checked.
///
/// The path is split before it is percent-decoded, so a name may hold any character. One slash at
/// its end and the case of its literals do not count. A path that is not the API's is refused as
/// unknown, one of the API's with another method with 405, as ASP.NET routes.
///
/// Source: docs/spec/rest.md#names-in-paths, docs/spec/rest.md#operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route<'a> {
    kind: Kind,
    names: Names<'a>,
}

impl<'a> Route<'a> {
    /// Finds the route of a raw path (before percent-decoding).
    ///
    /// # Errors
    /// [`Refusal::UnknownPath`] or [`Refusal::Method`].
    pub fn find(method: &str, path: &'a str) -> Result<Self, Refusal> {
        table::find(method, path).map(|(kind, names)| Self { kind, names })
    }

    /// Whether the caller has to show a token.
    #[must_use]
    pub const fn needs_token(&self) -> bool {
        self.kind.needs_token()
    }

    /// Checks the API's version, then names, then parameters. Parameters that an operation does
    /// not have are ignored.
    ///
    /// # Errors
    /// The [`Refusal`] to answer with.
    pub fn operation(self, query: Option<&str>) -> Result<Operation, Refusal> {
        let query = Query(query);
        query.check_version()?;
        Ok(match self.kind {
            Kind::Health => Operation::Health,
            Kind::OpenApi => Operation::OpenApi,
            Kind::GenerateToken => {
                Operation::GenerateToken { hub: hub_name(self.names.hub)?, request: query.token_request()? }
            }
            Kind::OfHub(kind) => {
                Operation::OfHub(hub_name(self.names.hub)?, self.hub_operation(kind, query)?)
            }
        })
    }

    fn hub_operation(self, kind: HubKind, query: Query<'_>) -> Result<HubOperation, Refusal> {
        let group = || group_name(self.names.group);
        let user = || user_id(self.names.user);
        let connection = || connection_id(self.names.connection);
        let permission = || permission_type(self.names.permission);
        Ok(match kind {
            HubKind::SendToAll => {
                HubOperation::SendToAll(query.send_options(Excluding::Allowed, Filtering::Allowed)?)
            }
            HubKind::CloseAll => HubOperation::CloseAll(query.close_options()?),
            HubKind::AddToGroups => HubOperation::AddToGroups,
            HubKind::RemoveFromGroups => HubOperation::RemoveFromGroups,
            HubKind::ConnectionExists => HubOperation::ConnectionExists(connection()?),
            HubKind::CloseConnection => {
                HubOperation::CloseConnection { connection: connection()?, reason: query.reason()? }
            }
            HubKind::SendToConnection => HubOperation::SendToConnection {
                connection: connection()?,
                options: query.send_options(Excluding::Unknown, Filtering::Unknown)?,
            },
            HubKind::RemoveConnectionFromAllGroups => {
                HubOperation::RemoveConnectionFromAllGroups(connection()?)
            }
            HubKind::GroupExists => HubOperation::GroupExists(group()?),
            HubKind::SendToGroup => HubOperation::SendToGroup {
                group: group()?,
                options: query.send_options(Excluding::Allowed, Filtering::Allowed)?,
            },
            HubKind::CloseGroup => {
                HubOperation::CloseGroup { group: group()?, options: query.close_options()? }
            }
            HubKind::ListMembers => {
                HubOperation::ListMembers { group: group()?, page: query.page_request()? }
            }
            HubKind::AddConnectionToGroup => {
                HubOperation::AddConnectionToGroup { group: group()?, connection: connection()? }
            }
            HubKind::RemoveConnectionFromGroup => {
                HubOperation::RemoveConnectionFromGroup { group: group()?, connection: connection()? }
            }
            HubKind::UserExists => HubOperation::UserExists(user()?),
            HubKind::SendToUser => HubOperation::SendToUser {
                user: user()?,
                options: query.send_options(Excluding::Unknown, Filtering::Allowed)?,
            },
            HubKind::CloseUser => HubOperation::CloseUser { user: user()?, options: query.close_options()? },
            HubKind::AddUserToGroup => HubOperation::AddUserToGroup { user: user()?, group: group()? },
            HubKind::RemoveUserFromGroup => {
                HubOperation::RemoveUserFromGroup { user: user()?, group: group()? }
            }
            HubKind::RemoveUserFromAllGroups => HubOperation::RemoveUserFromAllGroups(user()?),
            HubKind::GrantPermission => HubOperation::GrantPermission {
                permission: permission()?,
                connection: connection()?,
                group: query.target_name()?,
            },
            HubKind::CheckPermission => HubOperation::CheckPermission {
                permission: permission()?,
                connection: connection()?,
                group: query.target_name()?,
            },
            HubKind::RevokePermission => HubOperation::RevokePermission {
                permission: permission()?,
                connection: connection()?,
                group: query.target_name()?,
            },
        })
    }
}

fn hub_name(segment: &str) -> Result<HubName, Refusal> {
    HubName::parse(&decoded(segment, "hub")?).map_err(|_| Refusal::Hub)
}

fn group_name(segment: &str) -> Result<GroupName, Refusal> {
    parse_group(decoded(segment, "group")?, Refusal::Group)
}

fn user_id(segment: &str) -> Result<UserId, Refusal> {
    parse_user(decoded(segment, "userId")?)
}

pub(super) fn parse_group(name: String, otherwise: Refusal) -> Result<GroupName, Refusal> {
    GroupName::parse(name).map_err(|error| Refusal::of_name(error, "group name", otherwise))
}

fn parse_user(id: String) -> Result<UserId, Refusal> {
    UserId::parse(id).map_err(|error| Refusal::of_name(error, "userId", Refusal::User))
}

fn connection_id(segment: &str) -> Result<ConnectionId, Refusal> {
    ConnectionId::parse(decoded(segment, "connectionId")?)
        .map_err(|error| Refusal::of_name(error, "connectionId", Refusal::Connection))
}

/// A permission by its name, in any case, or by its number.
///
/// Source: docs/spec/rest.md#groups-and-permissions.
fn permission_type(segment: &str) -> Result<PermissionType, Refusal> {
    let name = decoded(segment, "permission")?;
    let is = |permission: PermissionType, number: &str| {
        name == number || name.eq_ignore_ascii_case(permission.as_str())
    };
    if is(PermissionType::SendToGroup, "1") {
        Ok(PermissionType::SendToGroup)
    } else if is(PermissionType::JoinLeaveGroup, "2") {
        Ok(PermissionType::JoinLeaveGroup)
    } else {
        Err(Refusal::Permission)
    }
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
#[derive(Debug, Clone, Copy)]
pub struct Query<'a>(pub Option<&'a str>);

impl<'a> Query<'a> {
    /// Every value of a parameter, in order.
    fn all(self, name: &'static str) -> Result<Vec<String>, Refusal> {
        let mut all = Vec::new();
        for value in self.values(name) {
            all.push(value?);
        }
        Ok(all)
    }

    fn values(self, name: &'static str) -> impl Iterator<Item = Result<String, Refusal>> + use<'a> {
        let is_named = move |(key, _): &(&str, &str)| {
            key.eq_ignore_ascii_case(name)
                || (key.bytes().any(|byte| matches!(byte, b'%' | b'+'))
                    && decode_parameter(key).is_some_and(|key| key.eq_ignore_ascii_case(name)))
        };
        let decode = move |(_, value)| decode_parameter(value).ok_or(Refusal::ParameterEncoding { name });
        parameters(self.0).filter(is_named).map(decode)
    }

    /// The value of a parameter that may stand there once.
    ///
    /// # Errors
    /// It stands there again, or is not percent-encoded UTF-8.
    pub fn one(self, name: &'static str) -> Result<Option<String>, Refusal> {
        let mut values = self.values(name);
        let first = values.next().transpose()?;
        if values.next().is_some() { Err(Refusal::Repeated { name }) } else { Ok(first) }
    }

    /// A whole number, written in decimal digits and nothing else.
    ///
    /// # Errors
    /// `otherwise` for anything else, and as [`Query::one`].
    pub fn number(self, name: &'static str, otherwise: fn() -> Refusal) -> Result<Option<u64>, Refusal> {
        let Some(text) = self.one(name)? else { return Ok(None) };
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(otherwise());
        }
        text.parse().map(Some).map_err(|_| otherwise())
    }

    /// Without a version the newest is meant. They do not differ in what they serve.
    ///
    /// Source: docs/spec/rest.md#versions.
    fn check_version(self) -> Result<(), Refusal> {
        match self.one("api-version")? {
            None => Ok(()),
            Some(version) if super::VERSIONS.contains(&version.as_str()) => Ok(()),
            Some(version) if super::PREVIEW_VERSIONS.contains(&version.as_str()) => Ok(()),
            Some(_) => Err(Refusal::ApiVersion),
        }
    }

    fn send_options(self, excluding: Excluding, filtering: Filtering) -> Result<SendOptions, Refusal> {
        let ttl = self.number("messageTtlSeconds", || Refusal::TimeToLive)?.unwrap_or(0);
        let ttl = TimeToLive::from_seconds(ttl).map_err(|_| Refusal::TimeToLive)?;
        let filter = match filtering {
            Filtering::Allowed => self.one("filter")?,
            Filtering::Unknown => None,
        };
        let filter = match filter {
            Some(filter) if !filter.is_empty() => Some(Filter::parse(&filter)?),
            Some(_) | None => None,
        };
        let excluded = match excluding {
            Excluding::Allowed => self.excluded()?,
            Excluding::Unknown => Vec::new(),
        };
        Ok(SendOptions { excluded, filter, ttl })
    }

    fn close_options(self) -> Result<CloseOptions, Refusal> {
        Ok(CloseOptions { excluded: self.excluded()?, reason: self.reason()? })
    }

    /// A blank id excludes no connection.
    fn excluded(self) -> Result<Vec<ConnectionId>, Refusal> {
        let mut excluded = Vec::new();
        for id in self.all("excluded")? {
            excluded.extend(ConnectionId::parse(id).ok());
        }
        Ok(excluded)
    }

    /// An empty reason is none.
    fn reason(self) -> Result<Option<String>, Refusal> {
        Ok(self.one("reason")?.filter(|reason| !reason.is_empty()))
    }

    /// Source: docs/spec/permissions.md#granting-and-revoking.
    fn target_name(self) -> Result<GroupName, Refusal> {
        let name = self.one("targetName")?.ok_or(Refusal::TargetName)?;
        parse_group(name, Refusal::TargetName)
    }

    /// Source: docs/spec/rest.md#groups-and-permissions.
    fn page_request(self) -> Result<PageRequest, Refusal> {
        let number = |name, largest: u32, refusal: fn() -> Refusal| match self.number(name, refusal)? {
            None => Ok(None),
            Some(number) => match u32::try_from(number) {
                Ok(number) if (1..=largest).contains(&number) => Ok(Some(number)),
                Ok(_) | Err(_) => Err(refusal()),
            },
        };
        let max_page_size = number("maxpagesize", MAX_PAGE_SIZE, || Refusal::MaxPageSize)?;
        let top = number("top", MAX_TOP, || Refusal::Top)?;
        let continuation_token = self.one("continuationToken")?;
        let is_good = |token: &String| (1..=MAX_CONTINUATION_TOKEN_BYTES).contains(&token.len());
        if !continuation_token.as_ref().is_none_or(is_good) {
            return Err(Refusal::ContinuationToken);
        }
        Ok(PageRequest { max_page_size: max_page_size.unwrap_or(MAX_PAGE_SIZE), top, continuation_token })
    }

    /// Source: docs/spec/rest.md#tokens-for-clients.
    fn token_request(self) -> Result<TokenRequest, Refusal> {
        let user_id = match self.one("userId")? {
            Some(user) if !user.is_empty() => Some(parse_user(user)?),
            Some(_) | None => None,
        };
        let minutes = self.number("minutesToExpire", || Refusal::MinutesToExpire)?;
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
        let (roles, mut groups) = (self.all("role")?, Vec::new());
        for group in self.all("group")? {
            groups.push(parse_group(group, Refusal::Group)?);
        }
        Ok(TokenRequest { user_id, roles, groups, lifetime, client_type })
    }
}
