//! Which task carries out an operation, and what replies come to.

use webpubsub_protocol::name::{ConnectionId, UserId};

use super::*;

fn task(method: &str, path: &str) -> Task {
    let query = path.contains("permissions").then_some("targetName=g");
    match Operation::parse(method, path, query) {
        Ok(Operation::OfHub(_, operation)) => Task::of(operation),
        other => panic!("{method} {path}: {other:?}"),
    }
}

#[test]
fn a_task_for_a_connection_goes_to_its_shard_only() {
    for (method, path) in [
        ("POST", "/api/hubs/h/connections/c/:send"),
        ("DELETE", "/api/hubs/h/connections/c"),
        ("HEAD", "/api/hubs/h/connections/c"),
        ("DELETE", "/api/hubs/h/connections/c/groups"),
        ("PUT", "/api/hubs/h/groups/g/connections/c"),
        ("DELETE", "/api/hubs/h/groups/g/connections/c"),
        ("PUT", "/api/hubs/h/permissions/sendToGroup/connections/c"),
        ("HEAD", "/api/hubs/h/permissions/sendToGroup/connections/c"),
        ("DELETE", "/api/hubs/h/permissions/sendToGroup/connections/c"),
    ] {
        let holder = Destination::OwnerOf(ConnectionId::parse("c").unwrap());
        assert_eq!(task(method, path).destination, holder, "{method} {path}");
    }
    for (method, path) in [
        ("POST", "/api/hubs/h/:send"),
        ("POST", "/api/hubs/h/:closeConnections"),
        ("POST", "/api/hubs/h/:addToGroups"),
        ("POST", "/api/hubs/h/users/u/:send"),
        ("PUT", "/api/hubs/h/users/u/groups/g"),
        ("HEAD", "/api/hubs/h/groups/g"),
        ("GET", "/api/hubs/h/groups/g/connections"),
    ] {
        assert_eq!(task(method, path).destination, Destination::AllShards, "{method} {path}");
    }
}

#[test]
fn a_check_succeeds_on_one_shard_and_a_change_on_all() {
    assert_eq!(task("HEAD", "/api/hubs/h/users/u").success, Success::OfOne);
    assert_eq!(task("PUT", "/api/hubs/h/users/u/groups/g").success, Success::OfOne);
    assert_eq!(task("POST", "/api/hubs/h/:send").success, Success::OfAll);
    assert_eq!(task("DELETE", "/api/hubs/h/users/u/groups/g").success, Success::OfAll);
}

#[test]
fn a_reply_becomes_the_outcome_of_the_operation() {
    let user = || UserId::parse("u").unwrap();
    let add = || task("PUT", "/api/hubs/h/users/u/groups/g");
    assert_eq!(add().outcome(&Reply::Done), &Outcome::Added);
    assert_eq!(add().outcome(&Reply::NotFound), &Outcome::NoUserToAdd(user()));
    for (method, path) in [
        ("PUT", "/api/hubs/h/users/u/groups/g"),
        ("PUT", "/api/hubs/h/groups/g/connections/c"),
        ("POST", "/api/hubs/h/:addToGroups"),
    ] {
        assert_eq!(task(method, path).outcome(&Reply::Conflict), &Outcome::TooManyGroups, "{path}");
    }
    let connection = ConnectionId::parse("c").unwrap();
    let grant = || task("PUT", "/api/hubs/h/permissions/sendToGroup/connections/c");
    assert_eq!(grant().outcome(&Reply::NotFound), &Outcome::NoConnectionToGrant(connection.clone()));
    assert_eq!(grant().outcome(&Reply::Conflict), &Outcome::TooManyPermissions(connection));
    let check = task("HEAD", "/api/hubs/h/permissions/sendToGroup/connections/c");
    assert_eq!(check.outcome(&Reply::NotFound), &Outcome::Missing(Subject::Permission));
}

#[test]
fn a_shard_reads_the_request_that_its_host_received() {
    let url = "http://h.example/api/hubs/h/:send?filter=userId%20eq%20null";
    let split = |url| RequestUrl::split(url).unwrap();
    let whole = TaskRequest::read("POST", split(url)).unwrap();
    assert_eq!((whole.among, whole.url), (None, split(url)));
    let address = ShardRange::below(3).address(&split(url).path_and_query());
    let url = ["http://object", &address].concat();
    let part = TaskRequest::read("POST", split(&url)).unwrap();
    assert_eq!((part.among, part.task), (Some(ShardRange::below(3)), whole.task));
    assert_eq!((part.url.path, part.url.query), (whole.url.path, whole.url.query));
    for other in ["/api/health", "/api/hubs/h/:generateToken", "/among/1/among/1/api/hubs/h/:send", "/x"] {
        let url = RequestUrl { path: other, ..split("http://object/") };
        assert!(TaskRequest::read("POST", url).is_err(), "{other}");
    }
}

#[test]
fn members_are_answered_as_a_page_without_a_link() {
    let answer = task("GET", "/api/hubs/h/groups/g/connections").respond(Reply::Members(Vec::new()));
    assert_eq!((answer.status, MemberPage::members_of(&answer.body)), (200, Some(Vec::new())));
    assert!(answer.body.contains(r#""nextLink":null"#), "{}", answer.body);
}
