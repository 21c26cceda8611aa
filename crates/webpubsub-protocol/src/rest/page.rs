//! Pages of lists: their parameters, and the link to the next one.

use std::fmt::Write as _;

use super::VERSIONS;
use crate::encoding::escape;
use crate::json::{Json, Members, Writer};
use crate::name::{ConnectionId, GroupName, HubName, UserId};

/// Which part of a group's list of members is asked for.
///
/// Source: docs/spec/rest.md#members-of-a-group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// How many there may be on one page, 1 to 200.
    pub max_page_size: u32,
    /// How many there may be on all pages that are left, 1 to 2147483647.
    pub top: Option<u32>,
    /// Where the last page ended, at most 2048 bytes and still to be verified. `None` for the start.
    pub continuation_token: Option<String>,
}

/// One member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The connection.
    pub connection: ConnectionId,
    /// Whom it acts for.
    pub user: Option<UserId>,
}

/// One page of a group's list of members, by connection id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberPage {
    /// The members.
    pub members: Vec<Member>,
    /// Where the next page is; see [`next_link`]. `None` on the last page.
    pub next_link: Option<String>,
}

/// The first of many members by connection id, which may be seen in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstMembers {
    wanted: usize,
    /// In order; `wanted` at most.
    members: Vec<Member>,
}

impl FirstMembers {
    /// So many at most.
    #[must_use]
    pub const fn of(wanted: usize) -> Self {
        Self { wanted, members: Vec::new() }
    }

    /// Whether a connection would be among them.
    #[must_use]
    pub fn would_take(&self, connection: &ConnectionId) -> bool {
        self.members.len() < self.wanted
            || self.members.last().is_some_and(|last| *connection < last.connection)
    }

    /// Takes a member in, if it is one of the first seen so far.
    pub fn take(&mut self, member: Member) {
        if self.would_take(&member.connection) {
            let at = self.members.partition_point(|before| before.connection < member.connection);
            self.members.insert(at, member);
            self.members.truncate(self.wanted);
        }
    }

    /// The members, in order.
    #[must_use]
    pub fn into_members(self) -> Vec<Member> {
        self.members
    }
}

/// What there is to say about the page after one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextPage {
    /// It begins after this connection, even if that is gone by then.
    pub after: ConnectionId,
    /// How many members may still follow.
    pub top: Option<u32>,
}

impl PageRequest {
    /// How many members to look for: one more than fit on the page, to know whether there are more.
    #[must_use]
    pub fn wanted(&self) -> usize {
        self.page_size().saturating_add(1)
    }

    /// Cuts the page out of the first [`Self::wanted`] members after the last page.
    #[must_use]
    pub fn cut(&self, mut members: Vec<Member>) -> (Vec<Member>, Option<NextPage>) {
        let size = self.page_size();
        let are_more = members.len() > size;
        members.truncate(size);
        let left = self.top.map(|top| top.saturating_sub(self.max_page_size));
        let next = match members.last() {
            Some(last) if are_more && left != Some(0) => {
                Some(NextPage { after: last.connection.clone(), top: left })
            }
            Some(_) | None => None,
        };
        (members, next)
    }

    fn page_size(&self) -> usize {
        let size = self.top.map_or(self.max_page_size, |top| top.min(self.max_page_size));
        usize::try_from(size).unwrap_or(usize::MAX)
    }
}

/// The URL of the next page.
///
/// `origin` is the service as its callers see it, such as `https://example.com` or
/// `http://localhost:8080`; `token` is what says where the page begins. Callers follow the URL as it
/// stands, and sign tokens for it.
///
/// Source: docs/spec/rest.md#members-of-a-group.
#[must_use]
pub fn next_link(
    origin: &str,
    hub: &HubName,
    group: &GroupName,
    request: &PageRequest,
    next: &NextPage,
    token: &str,
) -> String {
    let origin = origin.strip_suffix('/').unwrap_or(origin);
    let (hub, group) = (escape(hub.as_str()), escape(group.as_str()));
    let [.., version] = VERSIONS;
    let size = request.max_page_size;
    let mut link = format!(
        "{origin}/api/hubs/{hub}/groups/{group}/connections?api-version={version}&maxpagesize={size}"
    );
    if let Some(top) = next.top {
        // Writing to a string does not fail.
        let _ = write!(link, "&top={top}");
    }
    let _ = write!(link, "&continuationToken={}", escape(token));
    link
}

impl MemberPage {
    /// Writes the page as it is sent.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut value = Writer::list();
        for member in &self.members {
            let mut entry = Writer::object();
            entry.text("connectionId", member.connection.as_str());
            entry.text_or_null("userId", member.user.as_ref().map(UserId::as_str));
            value.element(&entry.finish());
        }
        let mut page = Writer::object();
        page.json("value", &value.finish()).text_or_null("nextLink", self.next_link.as_deref());
        page.finish()
    }

    /// Reads a page as it is sent; `None` if it is none. The link is not looked at.
    #[must_use]
    pub fn members_of(json: &str) -> Option<Vec<Member>> {
        let member = |entry: Json<'_>| {
            let entry = Members::parse(entry.as_str())?;
            let user = entry.get("userId").filter(|user| !user.is_null());
            Some(Member {
                connection: ConnectionId::parse(entry.get("connectionId")?.text()?).ok()?,
                user: match user {
                    Some(user) => Some(UserId::parse(user.text()?).ok()?),
                    None => None,
                },
            })
        };
        Members::parse(json)?.get("value")?.list(member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(max_page_size: u32, top: Option<u32>) -> PageRequest {
        PageRequest { max_page_size, top, continuation_token: None }
    }

    fn members(ids: impl IntoIterator<Item = u32>) -> Vec<Member> {
        let member =
            |id| Member { connection: ConnectionId::parse(format!("c{id:03}")).unwrap(), user: None };
        ids.into_iter().map(member).collect()
    }

    #[test]
    fn pages_cover_the_list_once_and_in_order_up_to_the_top() {
        for size in [1, 2, 3, 7, 200] {
            for top in [None, Some(1), Some(2), Some(6), Some(7), Some(8), Some(500)] {
                let (mut request, mut seen, mut pages) = (request(size, top), Vec::new(), 0);
                let mut after = None;
                loop {
                    // Two shards with their members in any order, each asked for as many.
                    let rest =
                        members((0..23).rev()).into_iter().filter(|m| Some(&m.connection) > after.as_ref());
                    let (even, odd): (Vec<_>, Vec<_>) = rest
                        .partition(|member| member.connection.as_str().ends_with(['0', '2', '4', '6', '8']));
                    let first = |members: Vec<Member>| {
                        let mut first = FirstMembers::of(request.wanted());
                        members.into_iter().for_each(|member| first.take(member));
                        first
                    };
                    let both = [first(odd), first(even)].map(FirstMembers::into_members).concat();
                    let (page, next) = request.cut(first(both).into_members());
                    assert!(page.len() <= usize::try_from(size).unwrap());
                    seen.extend(page);
                    pages += 1;
                    let Some(next) = next else { break };
                    assert_eq!(Some(&next.after), seen.last().map(|member| &member.connection));
                    assert_eq!(next.top, top.map(|top| top - u32::try_from(seen.len()).unwrap()));
                    after = Some(next.after);
                    request.top = next.top;
                }
                let all = top.map_or(23, |top| top.min(23));
                assert_eq!(seen, members(0..all), "{size} {top:?}");
                assert_eq!(pages, all.div_ceil(size), "{size} {top:?}");
            }
        }
    }

    #[test]
    fn a_page_is_read_as_it_was_sent() {
        let member = |connection: &str, user: Option<&str>| Member {
            connection: ConnectionId::parse(connection).unwrap(),
            user: user.map(|user| UserId::parse(user).unwrap()),
        };
        let members = vec![member("c\n\"1", Some("é\\")), member("c2", None)];
        let page = MemberPage { members: members.clone(), next_link: Some("https://example.com".to_owned()) };
        assert_eq!(MemberPage::members_of(&page.to_json()), Some(members));
        for no_page in ["", "{}", r#"{"value":[{"userId":"a"}]}"#, r#"{"value":[{"connectionId":""}]}"#] {
            assert_eq!(MemberPage::members_of(no_page), None, "{no_page}");
        }
    }

    #[test]
    fn an_empty_list_is_one_page() {
        assert_eq!(request(200, None).cut(vec![]), (vec![], None));
        assert_eq!(request(200, None).wanted(), 201);
        assert_eq!(request(200, Some(5)).wanted(), 6);
    }

    #[test]
    fn the_next_page_has_an_absolute_url_that_says_all() {
        let (hub, group) = (HubName::parse("C[1]").unwrap(), GroupName::parse("a b/é+~").unwrap());
        let mut next = NextPage { after: ConnectionId::parse("c").unwrap(), top: None };
        let link = |origin, next: &NextPage| {
            next_link(origin, &hub, &group, &request(2, Some(9)), next, "a.b-c_d=&")
        };
        let path = "/api/hubs/c%5B1%5D/groups/a%20b%2F%C3%A9%2B~/connections";
        assert_eq!(
            link("https://example.com", &next),
            format!(
                "https://example.com{path}?api-version=2024-12-01&maxpagesize=2&continuationToken=a.b-c_d%3D%26"
            )
        );
        next.top = Some(7);
        assert_eq!(
            link("http://localhost:8080/", &next),
            format!(
                "http://localhost:8080{path}?api-version=2024-12-01&maxpagesize=2&top=7&continuationToken=a.b-c_d%3D%26"
            )
        );
    }

    #[test]
    fn the_next_page_is_a_request_that_the_api_reads() {
        use crate::rest::{HubOperation, Operation};
        use crate::url::RequestUrl;

        let (hub, group) = (HubName::parse("chat").unwrap(), GroupName::parse("a/b%2F é").unwrap());
        let next = NextPage { after: ConnectionId::parse("c").unwrap(), top: Some(7) };
        let link = next_link("https://example.com", &hub, &group, &request(2, None), &next, "to+ken");
        let url = RequestUrl::split(&link).unwrap();
        let page =
            PageRequest { max_page_size: 2, top: Some(7), continuation_token: Some("to+ken".to_owned()) };
        let expected = Operation::OfHub(hub, HubOperation::ListMembers { group, page });
        assert_eq!(Operation::parse("GET", url.path, url.query), Ok(expected));
    }
}
