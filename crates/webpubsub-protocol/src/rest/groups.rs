use serde_json::value::RawValue;

use super::Refusal;
use super::body::{ContentKind, check_length, parse_content_type};
use crate::filter::Filter;
use crate::name::GroupName;
use crate::object::Object;

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
/// [`Refusal::ContentType`] for anything but `application/json`; [`Refusal::TooLong`],
/// [`Refusal::NotJson`], [`Refusal::Groups`], [`Refusal::FilterNotText`] or [`Refusal::Filter`].
///
/// Source: REST spec, section 3.
pub fn groups_body(content_type: Option<&str>, body: &[u8]) -> Result<GroupsRequest, Refusal> {
    if parse_content_type(content_type)? != ContentKind::Json {
        return Err(Refusal::ContentType);
    }
    check_length(body.len())?;
    let value: &RawValue = serde_json::from_slice(body).map_err(|_| Refusal::NotJson)?;
    let Object(properties): Object<&RawValue> =
        serde_json::from_str(value.get()).map_err(|_| Refusal::Groups)?;
    // The last of each name counts.
    let property = |name: &str| {
        let same = properties.iter().rev().find(|(property, _)| property.eq_ignore_ascii_case(name));
        same.map(|(_, value)| value.get())
    };
    let groups: Vec<String> =
        property("groups").and_then(|groups| serde_json::from_str(groups).ok()).unwrap_or_default();
    let groups: Result<Vec<_>, _> = groups.into_iter().map(GroupName::parse).collect();
    let groups = groups.ok().filter(|groups| !groups.is_empty()).ok_or(Refusal::Groups)?;
    let filter: Option<String> = match property("filter") {
        None => None,
        Some(filter) => serde_json::from_str(filter).map_err(|_| Refusal::FilterNotText)?,
    };
    let filter = match filter {
        Some(filter) if !filter.is_empty() => Some(Filter::parse(&filter)?),
        Some(_) | None => None,
    };
    Ok(GroupsRequest { groups, filter })
}
