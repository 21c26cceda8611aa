//! Requests of the REST API, and what is none.

use std::collections::BTreeMap;

use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::rest::{Member, MemberPage};
use webpubsub_protocol::url::RequestUrl;
use webpubsub_service::Part;
use webpubsub_service::gateway::{Answer, Gateway, Incoming};
use webpubsub_shard::{Reply, ShardId};

use crate::host::{ScriptedHost, now_or_never};

#[test]
fn what_cannot_be_forwarded_is_the_part_of_one_shard() {
    let headers = [("Expect", "100-continue")].into();
    let host = ScriptedHost { headers, ..ScriptedHost::new(3, None) };
    host.part.replace(Some(Part::Replied(Reply::Done)));
    let path = format!("/api/hubs/chat/connections/{}", ShardId(2).connection_id([7; 16]));
    assert_eq!(host.response("DELETE", &path).0, 204);
    assert_eq!(*host.done.borrow(), ["/view of chat", "a part of chat/2"]);
}

#[test]
fn what_one_shard_does_is_forwarded_to_it() {
    let host = ScriptedHost::new(1, None);
    assert_eq!(host.answer("POST", "/api/hubs/chat/:send"), Answer::Forward("chat/0".to_owned()));
    let host = ScriptedHost::new(3, None);
    let path = format!("/api/hubs/chat/connections/{}", ShardId(2).connection_id([7; 16]));
    assert_eq!(host.answer("DELETE", &path), Answer::Forward("chat/2".to_owned()));
    assert_eq!(*host.done.borrow(), ["/view of chat"]);
}

#[test]
fn what_several_shards_do_is_answered_once() {
    let host = ScriptedHost::new(3, None);
    host.part.replace(Some(Part::Replied(Reply::Done)));
    assert_eq!(host.response("POST", "/api/hubs/chat/:send"), (202, String::new()));
    host.part.replace(Some(Part::Refused("a shard's refusal")));
    assert_eq!(host.answer("POST", "/api/hubs/chat/:send"), Answer::Pass("a shard's refusal"));
    assert_eq!(host.response("POST", "/api/hubs/chat/:send").0, 500);
    assert_eq!(host.done.borrow().last().unwrap(), "error: asking a shard: no shard");
}

#[test]
fn a_list_is_cut_into_pages_with_links() {
    for shards in [1, 3] {
        let host = ScriptedHost::new(shards, None);
        let member = |id| Member { connection: ConnectionId::parse(id).unwrap(), user: None };
        host.part.replace(Some(Part::Replied(Reply::Members(vec![member("a"), member("b")]))));
        let (status, body) = host.response("GET", "/api/hubs/chat/groups/g/connections?maxpagesize=1");
        assert_eq!((status, MemberPage::members_of(&body)), (200, Some(vec![member("a")])));
        assert!(body.contains(r#""nextLink":"https://svc.example/api/hubs/chat/groups/g/"#), "{body}");
    }
}

#[test]
fn without_a_token_no_object_is_asked() {
    let host = ScriptedHost::new(1, None);
    for path in ["/api/hubs/chat/:send", "/management/hubs", "/API/hubs/chat/:send"] {
        let url = format!("https://svc.example{path}");
        let asked = Incoming { method: "POST", url: RequestUrl::split(&url).unwrap(), authorization: "" };
        let answer = now_or_never(Gateway::new(&host, &host.config).answer(asked));
        assert!(matches!(answer, Answer::Respond(response) if response.status == 401), "{path}");
    }
    assert!(host.done.borrow().iter().all(|line| line.starts_with("warning: authorising ")));
}

#[test]
fn other_paths_are_files_for_those_who_read() {
    let host = ScriptedHost { headers: BTreeMap::new(), ..ScriptedHost::new(1, None) };
    assert_eq!(host.answer("GET", "/"), Answer::File);
    assert_eq!(host.answer("HEAD", "/page.js"), Answer::File);
    assert_eq!(host.response("POST", "/"), (404, "Not Found".to_owned()));
    let host = ScriptedHost::new(1, None);
    assert_eq!(host.response("GET", "/").0, 404, "a socket");
    let (status, words) = host.response("GET", "/client/hubs/1");
    assert!(status == 400 && words.starts_with("Invalid request: "), "{words}");
}

#[test]
fn what_no_shard_carries_out_asks_none() {
    let host = ScriptedHost::new(2, None);
    assert_eq!(host.response("HEAD", "/api/health").0, 200);
    assert_eq!(host.answer("GET", "/api/openapi.json"), Answer::File);
    let (status, body) = host.response("POST", "/api/hubs/chat/:generateToken");
    assert!(status == 200 && body.starts_with(r#"{"token":""#), "{status} {body}");
    assert_eq!(host.done.take(), [""; 0]);
}
