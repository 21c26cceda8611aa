//! The body of the operations that change several groups at once.

use super::Refusal;
use super::body::{ContentKind, Decode, check_length, parse_content_type};
use super::parse::parse_group;
use crate::filter::Filter;
use crate::json::{Json, Members};
use crate::limits::MAX_REST_MESSAGE_BYTES;
use crate::name::GroupName;

/// What `:addToGroups` and `:removeFromGroups` are to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupsRequest {
    /// At least one, as given: there may be duplicates.
    pub groups: Vec<GroupName>,
    /// Only for connections that it matches; `None` for every connection of the hub.
    pub filter: Option<Filter>,
}

/// Reads the body of `:addToGroups` and `:removeFromGroups`:
/// `{"groups": ["a", …], "filter": "…" | "" | null}`.
///
/// The case of the two names does not count, as in the hosted service. Other properties are ignored.
///
/// # Errors
/// [`Refusal::ContentType`] for anything but `application/json`, or a charset that is unknown; [`Refusal::TooLong`],
/// [`Refusal::NotJson`], [`Refusal::Groups`], [`Refusal::FilterNotText`] or [`Refusal::BodyFilter`].
///
/// Source: docs/spec/rest.md#groups-and-permissions.
pub fn groups_body(
    content_type: Option<&str>,
    body: Vec<u8>,
    decode: &Decode<'_>,
) -> Result<GroupsRequest, Refusal> {
    let ContentKind::Json(charset) = parse_content_type(content_type)? else {
        return Err(Refusal::ContentType);
    };
    check_length(body.len(), MAX_REST_MESSAGE_BYTES)?;
    let text = charset.text(body, decode, Refusal::NotJson)?;
    let json = Json::parse(&text).ok_or(Refusal::NotJson)?;
    let Members(properties) = Members::parse(json.as_str()).ok_or(Refusal::Groups)?;
    // The last of each name counts.
    let property = |name: &str| {
        let same = properties.iter().rev().find(|(property, _)| property.eq_ignore_ascii_case(name));
        same.map(|(_, value)| *value)
    };
    let mut groups = Vec::new();
    for name in property("groups").and_then(Json::texts).unwrap_or_default() {
        groups.push(parse_group(name, Refusal::Groups)?);
    }
    if groups.is_empty() {
        return Err(Refusal::Groups);
    }
    let filter = match property("filter").filter(|value| !value.is_null()) {
        None => None,
        Some(filter) => Some(filter.text().ok_or(Refusal::FilterNotText)?),
    };
    let filter = match filter {
        Some(filter) if !filter.is_empty() => Some(Filter::parse(&filter).map_err(Refusal::BodyFilter)?),
        Some(_) | None => None,
    };
    Ok(GroupsRequest { groups, filter })
}
