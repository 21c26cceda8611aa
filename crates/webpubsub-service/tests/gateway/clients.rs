//! Clients on their way to a shard.

use webpubsub_auth::sign_reconnection_token;
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::name::HubName;
use webpubsub_service::gateway::Answer;
use webpubsub_shard::ShardId;

use crate::host::{CLIENT, HANDLER, NOW, ScriptedHost};

#[test]
fn a_client_of_mqtt_goes_to_the_first_shard_unasked() {
    let mut host = ScriptedHost::new(4, Some(HANDLER));
    host.offers.borrow_mut().extend([(101, None), (503, None)]);
    assert_eq!(host.response("GET", "/clients/mqtt/hubs/chat").0, 400);
    host.headers.insert("Sec-WebSocket-Protocol", "mqtt");
    assert_eq!(host.answer("GET", "/clients/mqtt/hubs/chat"), Answer::Pass("a shard's answer"));
    assert_eq!(host.response("GET", "/clients/mqtt/hubs/chat").0, 503);
    let done = host.done.borrow();
    assert_eq!(done.iter().filter(|what| *what == "/connect of chat/0").count(), 2);
    assert!(done.iter().all(|what| !what.contains("example.com")), "no handler is called: {done:?}");
}

#[test]
fn a_client_is_offered_to_a_shard_of_its_hub() {
    let host = ScriptedHost::open(1, &[(101, None), (101, None)]);
    for _ in 0..2 {
        assert_eq!(host.answer("GET", CLIENT), Answer::Pass("a shard's answer"));
    }
    // The register and the view are cached.
    let once = ["/hubs of *", "/view of chat"];
    assert_eq!(*host.done.borrow(), [&once[..], &["/connect of chat/0"; 2]].concat());
}

#[test]
fn a_client_may_list_other_protocols_beside_web_socket() {
    let mut host = ScriptedHost::open(1, &[(101, None), (101, None), (101, None)]);
    for upgrade in ["websocket", "WebSocket", "h2c, websocket"] {
        host.headers.insert("Upgrade", upgrade);
        assert_eq!(host.answer("GET", CLIENT), Answer::Pass("a shard's answer"), "{upgrade}");
    }
    for upgrade in ["h2c", "websocket/13", ""] {
        host.headers.insert("Upgrade", upgrade);
        assert_eq!(host.response("GET", CLIENT).0, 400, "{upgrade:?}");
    }
    host.headers.remove("Upgrade");
    assert_eq!(host.response("GET", CLIENT).0, 400);
}

#[test]
fn a_platform_may_take_web_socket_alone() {
    let host = ScriptedHost::open(1, &[(101, None)]);
    let mut host = ScriptedHost { chooses_protocol: false, ..host };
    host.headers.insert("Upgrade", "h2c, websocket");
    assert_eq!(host.response("GET", CLIENT).0, 400);
    host.headers.insert("Upgrade", "WebSocket");
    assert_eq!(host.answer("GET", CLIENT), Answer::Pass("a shard's answer"));
}

#[test]
fn a_full_shard_is_followed_by_another() {
    let host = ScriptedHost::open(2, &[(503, Some(9)), (101, Some(1))]);
    // The count is left out.
    assert_eq!(host.answer("GET", CLIENT), Answer::Accept("a shard's answer", None));
    assert_eq!(host.done.borrow()[2..], ["/connectCounted of chat/0", "/connectCounted of chat/1"]);
}

#[test]
fn a_hub_without_room_is_one_refusal() {
    let host = ScriptedHost::open(1, &[(429, None)]);
    assert_eq!(host.response("GET", CLIENT).0, 429);
    let warning = "warning: taking a client into hub chat: connection count reaches limit";
    assert_eq!(host.done.borrow().last().unwrap(), warning);
}

#[test]
fn a_hub_that_was_never_used_is_not_looked_at() {
    let host = ScriptedHost { hubs: "news", ..ScriptedHost::open(1, &[]) };
    assert_eq!(host.response("GET", CLIENT).0, 401);
    assert_eq!(host.done.borrow()[0], "/hubs of *");
    assert!(host.done.borrow()[1].starts_with("warning: authorising a client of hub chat: "));
}

#[test]
fn what_fails_makes_a_client_try_again_and_is_logged() {
    let host = ScriptedHost { view: None, ..ScriptedHost::open(1, &[]) };
    assert_eq!(host.response("GET", CLIENT).0, 503);
    let error = "error: asking a hub's directory: the directory gave no view";
    assert_eq!(host.done.borrow().last().unwrap(), error);
    let host = ScriptedHost::open(1, &[]);
    assert_eq!(host.response("GET", CLIENT).0, 503);
    assert_eq!(host.done.borrow().last().unwrap(), "error: offering a client to its shard: no shard");
}

#[test]
fn a_handler_is_asked_once_there_is_room() {
    let open = |decision| {
        let host = ScriptedHost { decision, ..ScriptedHost::new(1, Some(HANDLER)) };
        host.offers.borrow_mut().extend([(204, None), (101, None)]);
        host
    };
    let host = open((204, ""));
    assert_eq!(host.answer("GET", CLIENT), Answer::Pass("a shard's answer"));
    let called = ["/room of chat/0", "POST https://example.com/connect", "keep a delivery of chat"];
    assert_eq!(host.done.borrow()[2..], [&called[..], &["/connect of chat/0"]].concat());
    let host = open((403, "not you"));
    assert_eq!(host.response("GET", CLIENT), (403, "not you".to_owned()));
    assert_eq!(host.done.borrow()[2..5], called);
    assert!(!host.done.borrow().contains(&"/connect of chat/0".to_owned()));
}

#[test]
fn a_recovery_goes_to_the_shard_that_made_the_connection() {
    let path = |host: &ScriptedHost, shard| {
        let (connection, hub) = (ShardId(shard).connection_id([7; 16]), HubName::parse("chat").unwrap());
        let token = sign_reconnection_token(&host.config.keys.get().access, NOW, &connection, &hub);
        format!("{CLIENT}?awps_connection_id={connection}&awps_reconnection_token={token}")
    };
    let refused = Answer::AcceptAndClose(CloseCause::NotRecoverable, None);
    for (status, answer) in [(101, Answer::Pass("a shard's answer")), (404, refused)] {
        let host = ScriptedHost::open(3, &[(status, None)]);
        assert_eq!(host.answer("GET", &path(&host, 2)), answer);
        assert_eq!(*host.done.borrow(), ["/recover of chat/2"]);
    }
    let host = ScriptedHost::open(3, &[(500, None)]);
    assert_eq!(host.response("GET", &path(&host, 2)).0, 503);
    assert_eq!(host.done.borrow()[1], "error: having a connection recovered: the shard failed");
}
