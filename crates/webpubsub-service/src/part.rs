//! What shards make of their parts of a task, and the one answer out of theirs.

use webpubsub_protocol::rest::{FirstMembers, MemberPage, Response};
use webpubsub_shard::Reply;

use crate::task::{Success, Task, Work};

/// What a shard made of its part of a task.
///
/// It travels as the answer that the caller would get if there were no other shard. Where it is a reply, its
/// header `x-reply` says which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<R> {
    /// It has carried its part out.
    Replied(Reply),
    /// It has refused, or failed. This is its answer to the caller.
    Refused(R),
}

/// The name of the header that says which reply of a shard an answer is.
const REPLY_HEADER: &str = "x-reply";

const DONE: &str = "done";
const NOT_FOUND: &str = "notFound";
const CONFLICT: &str = "conflict";
const MEMBERS: &str = "members";

/// Writes an answer as it travels: a line with its status, one for each header with a colon after its name, an empty
/// one, and its body.
#[must_use]
pub fn encode_answer(Response { status, headers, body }: Response) -> String {
    let mut text = status.to_string();
    for (name, value) in headers {
        text.extend(["\n", name, ":", &value]);
    }
    text + "\n\n" + &body
}

impl Part<String> {
    /// Reads a shard's answer, which [`encode_answer`] wrote; `None` where it has a reply that cannot be read.
    #[must_use]
    pub fn read(answer: String) -> Option<Self> {
        // By the character: to look for a text in another takes 4 KB of the worker.
        let (mut reply, mut body) = (None, &*answer);
        loop {
            let (line, rest) = body.split_once('\n')?;
            body = rest;
            match line.split_once(':') {
                Some((REPLY_HEADER, value)) => reply = Some(value),
                None if line.is_empty() => break,
                _ => {}
            }
        }
        let Some(reply) = reply else { return Some(Self::Refused(answer)) };
        Some(Self::Replied(match reply {
            DONE => Reply::Done,
            NOT_FOUND => Reply::NotFound,
            CONFLICT => Reply::Conflict,
            MEMBERS => Reply::Members(MemberPage::members_of(body)?),
            _ => return None,
        }))
    }
}

impl Task {
    /// The answer in which a shard's reply travels as its part.
    #[must_use]
    pub(crate) fn respond_in_part(&self, reply: Reply) -> Response {
        let header = match &reply {
            Reply::Done => DONE,
            Reply::NotFound => NOT_FOUND,
            Reply::Conflict => CONFLICT,
            Reply::Members(_) => MEMBERS,
        };
        let mut response = self.respond(reply);
        response.headers.push((REPLY_HEADER, header.into()));
        response
    }

    /// The part of all out of those of the shards; `None` where there is none.
    ///
    /// It is the first that failed, since the outcome of the operation is unknown there. Where one success is
    /// enough, a part that is not found is no failure. Lists are joined: their first members are the list.
    pub fn gather<R>(&self, parts: impl IntoIterator<Item = Part<R>>) -> Option<Part<R>> {
        let wanted = if let Work::List { page, .. } = &self.work { page.wanted() } else { 0 };
        let (mut members, mut others) = (FirstMembers::of(wanted), None);
        for part in parts {
            match part {
                Part::Replied(reply) if self.is_done(&reply) => others = Some(Reply::Done),
                Part::Replied(Reply::Members(listed)) => {
                    listed.into_iter().for_each(|member| members.take(member));
                    others = Some(Reply::Members(Vec::new()));
                }
                Part::Replied(Reply::NotFound) if self.success == Success::OfOne => {
                    others = others.or(Some(Reply::NotFound));
                }
                Part::Replied(Reply::Done | Reply::NotFound | Reply::Conflict) | Part::Refused(_) => {
                    return Some(part);
                }
            }
        }
        Some(Part::Replied(match others? {
            Reply::Members(_) => Reply::Members(members.into_members()),
            reply @ (Reply::Done | Reply::NotFound | Reply::Conflict) => reply,
        }))
    }
}

#[cfg(test)]
mod tests {
    use webpubsub_protocol::name::ConnectionId;
    use webpubsub_protocol::rest::{Member, Operation, Refusal, refuse};

    use super::*;

    fn task(method: &str, path: &str, query: Option<&str>) -> Task {
        match Operation::parse(method, path, query) {
            Ok(Operation::OfHub(_, operation)) => Task::of(operation),
            other => panic!("{method} {path}: {other:?}"),
        }
    }

    fn check() -> Task {
        task("PUT", "/api/hubs/h/users/u/groups/g", None)
    }

    fn change() -> Task {
        task("PUT", "/api/hubs/h/permissions/sendToGroup/connections/c", Some("targetName=g"))
    }

    fn list() -> Task {
        task("GET", "/api/hubs/h/groups/g/connections", Some("maxpagesize=2"))
    }

    fn members(ids: &[&str]) -> Reply {
        let member = |id: &&str| Member { connection: ConnectionId::parse(*id).unwrap(), user: None };
        Reply::Members(ids.iter().map(member).collect())
    }

    #[test]
    fn a_check_needs_one_shard_and_a_change_all_of_them() {
        const DONE: Part<u16> = Part::Replied(Reply::Done);
        const NOT_FOUND: Part<u16> = Part::Replied(Reply::NotFound);
        const CONFLICT: Part<u16> = Part::Replied(Reply::Conflict);
        const FAILED: Part<u16> = Part::Refused(500);
        for (parts, of_one, of_all) in [
            (vec![NOT_FOUND, NOT_FOUND], NOT_FOUND, NOT_FOUND),
            (vec![NOT_FOUND, DONE, DONE], DONE, NOT_FOUND),
            (vec![DONE, NOT_FOUND, DONE], DONE, NOT_FOUND),
            (vec![NOT_FOUND, DONE, FAILED], FAILED, NOT_FOUND),
            (vec![NOT_FOUND, FAILED, NOT_FOUND], FAILED, NOT_FOUND),
            (vec![DONE, CONFLICT, NOT_FOUND], CONFLICT, CONFLICT),
            (vec![DONE, DONE], DONE, DONE),
            (vec![DONE, FAILED, CONFLICT], FAILED, FAILED),
            (vec![Part::Refused(400), FAILED], Part::Refused(400), Part::Refused(400)),
        ] {
            assert_eq!(check().gather(parts.clone()), Some(of_one), "{parts:?}");
            assert_eq!(change().gather(parts.clone()), Some(of_all), "{parts:?}");
        }
        assert_eq!(change().gather::<u16>([]), None);
    }

    #[test]
    fn what_need_not_be_found_is_done_without_it() {
        let add = task("POST", "/api/hubs/h/:addToGroups", None);
        let parts = [Part::Replied(Reply::NotFound), Part::Refused(500)];
        assert_eq!(add.gather(parts), Some(Part::Refused(500)));
        let parts = [Part::Replied(Reply::NotFound), Part::Replied(Reply::Conflict)];
        assert_eq!(add.gather::<u16>(parts), Some(Part::Replied(Reply::Conflict)));
        assert_eq!(add.gather::<u16>([Part::Replied(Reply::NotFound)]), Some(Part::Replied(Reply::Done)));
    }

    #[test]
    fn one_failed_shard_of_many_fails_the_whole() {
        for failed in 0..40 {
            let part =
                |shard| if shard == failed { Part::Refused(shard) } else { Part::Replied(Reply::Done) };
            assert_eq!(check().gather((0..40).map(part)), Some(Part::Refused(failed)));
            assert_eq!(change().gather((0..40).map(part)), Some(Part::Refused(failed)));
        }
    }

    #[test]
    fn lists_of_shards_become_one() {
        let gather =
            |lists: &[&[&str]]| list().gather::<u16>(lists.iter().map(|ids| Part::Replied(members(ids))));
        // One more than the page has says that there is another.
        let all = gather(&[&["b", "d"], &[], &["a", "c", "e"]]);
        assert_eq!(all, Some(Part::Replied(members(&["a", "b", "c"]))));
        assert_eq!(gather(&[&[], &[]]), Some(Part::Replied(members(&[]))));
        let failed = [Part::Replied(members(&["a"])), Part::Refused(500)];
        assert_eq!(list().gather(failed), Some(Part::Refused(500)));
    }

    #[test]
    fn a_reply_survives_its_way() {
        for (task, reply) in [
            (change(), Reply::Done),
            (check(), Reply::NotFound),
            (task("POST", "/api/hubs/h/:addToGroups", None), Reply::Conflict),
            (list(), members(&[])),
            (list(), members(&["a", "b"])),
        ] {
            let answer = encode_answer(task.respond_in_part(reply.clone()));
            assert_eq!(Part::read(answer), Some(Part::Replied(reply)));
        }
    }

    #[test]
    fn an_answer_without_a_reply_is_a_refusal() {
        let refusal = refuse(&Refusal::TooLong, "POST");
        let text = encode_answer(refusal.clone());
        assert!(text.starts_with("400\n") && text.ends_with(&["\n\n", &refusal.body].concat()), "{text}");
        for answer in [&text, "500\n\n", "404\na:x-reply:done\n\nx-reply:done"] {
            assert_eq!(Part::read(answer.to_owned()), Some(Part::Refused(answer.to_owned())));
        }
    }

    #[test]
    fn a_reply_that_cannot_be_read_is_none() {
        for answer in ["", "202", "202\nx-reply:Done\n\n", "202\nx-reply:\n\n", "200\nx-reply:members\n\n"] {
            assert_eq!(Part::read(answer.to_owned()), None, "{answer}");
        }
    }
}
