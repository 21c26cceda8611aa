//! Group states that a client sets and receives.
#![cfg(not(target_arch = "wasm32"))]

#[path = "support/server.rs"]
mod server;

use std::collections::BTreeMap;

use server::{Server, next, within};
use webpubsub::{Event, GroupStateRecord, NotSubscribed, Retry, SendError};

fn state(value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("status".to_owned(), value.to_owned())])
}

#[tokio::test]
async fn a_state_is_set_and_cleared() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, _events) = server.connected(&client).await;
    let script = async {
        for (ack_id, expected) in [
            (1, r#"{"type":"setGroupState","group":"room","ackId":1,"state":{"status":"away"}}"#),
            (7, r#"{"type":"setGroupState","group":"room","ackId":7}"#),
            (2, r#"{"type":"setGroupState","group":"room","ackId":2,"state":{"status":"back"}}"#),
            (3, r#"{"type":"leaveGroup","group":"room","ackId":3}"#),
        ] {
            assert_eq!(peer.receive().await, expected);
            peer.say_done(ack_id).await;
        }
    };
    let calls = async {
        assert_eq!(client.group_state("room"), None);
        client.set_group_state("room", [("status", "away")]).await.unwrap();
        assert_eq!(client.group_state("room"), Some(state("away")));
        client.clear_group_state("room").ack_id(7).await.unwrap();
        assert_eq!(client.group_state("room"), None);
        client.set_group_state("room", state("back")).await.unwrap();
        client.leave_group("room").await.unwrap();
        assert_eq!(client.group_state("room"), None);
    };
    within(async { tokio::join!(script, calls) }).await;
    let many = (0..257).map(|number| (number.to_string(), ""));
    let error = client.set_group_state("room", many).await.unwrap_err();
    assert!(matches!(error, SendError::GroupStateTooLarge), "{error}");
}

#[tokio::test]
async fn the_states_of_a_group_are_known_while_subscribed_to() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, mut events) = server.connected(&client).await;
    assert_eq!(client.list_group_states("room"), Err(NotSubscribed));
    let script = async {
        assert_eq!(peer.receive().await, r#"{"type":"subscribeGroupState","group":"room","ackId":1}"#);
        peer.say_done(1).await;
    };
    let (subscribed, ()) = tokio::join!(client.subscribe_group_states("room").into_future(), script);
    subscribed.unwrap();
    peer.say(
        r#"{"type":"groupStateSnapshot","group":"room","items":[{"connectionId":"c2","userId":"bob","state":{"status":"away"},"updatedAt":5},{"connectionId":"c3","state":{},"updatedAt":6}],"sequenceId":1}"#,
    )
    .await;
    peer.say(r#"{"type":"groupStateUpdate","group":"other","items":[{"connectionId":"c2","updatedAt":7}],"sequenceId":2}"#)
        .await;
    let Event::GroupStatesChanged { group } = next(&mut events).await else { panic!("another event") };
    assert_eq!(group, "room");
    let bob = GroupStateRecord {
        connection_id: "c2".to_owned(),
        user_id: Some("bob".to_owned()),
        state: state("away"),
        updated_at: 5,
    };
    let listed = client.list_group_states("room").unwrap();
    assert_eq!(listed.first(), Some(&bob));
    peer.say(
        r#"{"type":"groupStateUpdate","group":"room","items":[{"connectionId":"c2","updatedAt":8},{"connectionId":"c3","updatedAt":8}],"sequenceId":3}"#,
    )
    .await;
    assert!(matches!(next(&mut events).await, Event::GroupStatesChanged { .. }));
    assert_eq!(client.list_group_states("room"), Ok(Vec::new()));
    let script = async {
        assert_eq!(peer.receive().await, r#"{"type":"unsubscribeGroupState","group":"room","ackId":2}"#);
        peer.say_done(2).await;
    };
    let (ended, ()) = tokio::join!(client.unsubscribe_group_states("room").into_future(), script);
    ended.unwrap();
    assert_eq!(client.list_group_states("room"), Err(NotSubscribed));
}

#[tokio::test]
async fn a_new_connection_subscribes_again() {
    let server = Server::bind().await;
    let retry = Retry { max_retries: 0, ..server::QUICK };
    let client = server.builder().message_retry(retry).build().unwrap();
    let (mut peer, mut events) = server.connected(&client).await;
    let script = async {
        for ack_id in 1..=2 {
            peer.receive().await;
            peer.say_done(ack_id).await;
        }
    };
    let calls = async {
        client.subscribe_group_states("room").await.unwrap();
        client.set_group_state("room", [("status", "here")]).await.unwrap();
    };
    within(async { tokio::join!(script, calls) }).await;
    peer.say(r#"{"type":"groupStateSnapshot","group":"room","items":[{"connectionId":"c1","state":{"status":"here"},"updatedAt":5}],"sequenceId":1}"#).await;
    assert!(matches!(next(&mut events).await, Event::GroupStatesChanged { .. }));
    peer.close(1008, "gone").await;
    assert!(matches!(next(&mut events).await, Event::Disconnected { .. }));
    let mut peer = server.accept().await;
    peer.say_connected().await;
    assert!(matches!(next(&mut events).await, Event::Connected { .. }));
    // What belonged to the connection before is gone.
    assert!(matches!(next(&mut events).await, Event::GroupStatesChanged { .. }));
    assert_eq!(client.list_group_states("room"), Ok(Vec::new()));
    assert_eq!(client.group_state("room"), None);
    assert_eq!(peer.receive().await, r#"{"type":"subscribeGroupState","group":"room","ackId":3}"#);
    peer.say(r#"{"type":"ack","ackId":3,"success":false,"error":{"name":"Forbidden","message":"No."}}"#)
        .await;
    let Event::RejoinGroupFailed { group, error } = next(&mut events).await else { panic!("another event") };
    assert_eq!((group.as_str(), error.refusal().unwrap().name.as_ref()), ("room", "Forbidden"));
    // What was accepted once stays a subscription, to be made again on the next connection.
    assert_eq!(client.list_group_states("room"), Ok(Vec::new()));
}

#[tokio::test]
async fn a_refused_subscription_is_none() {
    let server = Server::bind().await;
    let retry = Retry { max_retries: 0, ..server::QUICK };
    let client = server.builder().message_retry(retry).build().unwrap();
    let (mut peer, _events) = server.connected(&client).await;
    let script = async {
        peer.receive().await;
        peer.say(r#"{"type":"ack","ackId":1,"success":false,"error":{"name":"Forbidden","message":"No."}}"#)
            .await;
    };
    let (subscribed, ()) = tokio::join!(client.subscribe_group_states("room").into_future(), script);
    assert_eq!(subscribed.unwrap_err().refusal().unwrap().name, "Forbidden");
    assert_eq!(client.list_group_states("room"), Err(NotSubscribed));
}
