//! Events whose sender waits for an answer of their own.
//!
//! Source: docs/spec/client.md#invocations.

use webpubsub_protocol::event_handler::CallFailure;
use webpubsub_shard::ShardConfig;
use webpubsub_testkit::{TestShard, USER_EVENTS, header, json, reliable, says, status, with_handlers};

/// A shard whose event handler subscribes to user events.
fn shard() -> TestShard {
    TestShard::with(ShardConfig::only(), with_handlers(USER_EVENTS))
}

fn invoke(id: &str) -> String {
    format!(
        r#"{{"type":"invoke","invocationId":"{id}","target":"event","event":"e","dataType":"text","data":"hi"}}"#
    )
}

// Source: docs/spec/client.md#invocations.
#[test]
fn an_invocation_is_answered_with_what_the_handler_says() {
    let response = |rest: &str| format!(r#"{{"type":"invokeResponse","invocationId":"i","success":{rest}}}"#);
    let failed =
        response(r#"false,"error":{"name":"InternalServerError","message":"Internal server error"}"#);
    for (result, expected) in [
        (Ok(says("text/plain", "hello")), response(r#"true,"dataType":"text","data":"hello""#)),
        (Ok(status(204)), response("true")),
        (Ok(status(400)), failed.clone()),
        (Err(CallFailure::NotValidated), failed),
    ] {
        let mut shard = shard();
        let alice = shard.connected(reliable("alice"));
        shard.send(alice, &invoke("i"));
        let call = shard.end_call(result);
        assert_eq!(header(&call, "ce-type"), Some("azure.webpubsub.user.e"));
        assert_eq!(shard.take(alice), [expected]);
        assert!(shard.disk.log.is_empty(), "it is no message");
    }
}

#[test]
fn an_invocation_without_a_handler_fails() {
    let mut shard = TestShard::new();
    let alice = shard.connected(json("alice"));
    shard.send(alice, &invoke("i"));
    assert!(shard.take(alice).concat().contains("InternalServerError"));
}

#[test]
fn an_invocation_id_that_is_in_use_is_a_bad_request() {
    let mut shard = shard();
    let (alice, bob) = (shard.connected(json("alice")), shard.connected(json("bob")));
    shard.send(alice, &invoke("i"));
    shard.send(alice, &invoke("j"));
    shard.send(alice, &invoke("i"));
    shard.send(alice, &invoke("j"));
    let refused = shard.take(alice);
    assert_eq!(refused.len(), 2);
    assert!(refused.iter().all(|refused| refused.contains("BadRequest")), "{refused:?}");
    shard.send(bob, &invoke("i"));
    assert_eq!(shard.calls_in_words(), ["alice e 2", "bob e 2"], "another connection's ids are its own");
    shard.end_call(Ok(status(204)));
    shard.send(alice, &invoke("i"));
    assert_eq!(shard.take(alice).len(), 1, "it is free again");
}

#[test]
fn a_cancelled_invocation_is_not_answered_nor_delivered() {
    let mut shard = shard();
    let alice = shard.connected(json("alice"));
    let cancel = |id: &str| format!(r#"{{"type":"cancelInvocation","invocationId":"{id}"}}"#);
    for id in ["i", "j", "k"] {
        shard.send(alice, &invoke(id));
    }
    shard.send(alice, &cancel("i"));
    shard.send(alice, &cancel("j"));
    shard.send(alice, &cancel("unknown"));
    shard.send(alice, &invoke("i"));
    shard.end_call(Ok(says("text/plain", "late")));
    assert_eq!(shard.take(alice), [""; 0]);
    assert_eq!(shard.calls_in_words(), ["alice e 4"]);
    shard.end_call(Ok(status(204)));
    shard.end_call(Ok(says("text/plain", "in time")));
    let answers = shard.take(alice);
    assert_eq!(answers.len(), 2);
    assert!(answers[0].contains(r#""k""#) && answers[1].contains("in time"), "{answers:?}");
    shard.send(alice, &cancel("i"));
    assert!(shard.is_open(alice));
}

#[test]
fn the_answer_to_an_invocation_needs_an_attached_client() {
    let mut shard = shard();
    let alice = shard.connected(reliable("alice"));
    let id = shard.id(alice);
    shard.send(alice, &invoke("i"));
    shard.cut(alice);
    shard.end_call(Ok(says("text/plain", "hello")));
    shard.recover(&id);
    assert_eq!(shard.take(alice), [""; 0]);
}
