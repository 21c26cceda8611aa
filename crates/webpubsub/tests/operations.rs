//! Joining, publishing, events and invocations, and what they come to.
#![cfg(not(target_arch = "wasm32"))]

#[path = "support/server.rs"]
mod server;

use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use server::{Server, next, within};
use webpubsub::{
    AckError, Data, DataType, Event, InvokeError, PayloadError, Receipt, SendError, Subprotocol,
};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Chat {
    text: String,
    number: u64,
}

#[tokio::test]
async fn every_operation_is_sent_and_acknowledged() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, _events) = server.connected(&client).await;
    assert_eq!(peer.offer, "json.reliable.webpubsub.azure.v1");

    let script = async {
        for (ack_id, expected) in [
            (1, r#"{"type":"joinGroup","group":"room","ackId":1}"#),
            (
                2,
                r#"{"type":"sendToGroup","group":"room","ackId":2,"noEcho":false,"dataType":"text","data":"hi"}"#,
            ),
            (
                7,
                r#"{"type":"sendToGroup","group":"room","ackId":7,"noEcho":true,"dataType":"json","data":{"text":"hi","number":18446744073709551615}}"#,
            ),
            (3, r#"{"type":"event","event":"order","ackId":3,"dataType":"binary","data":"AQI="}"#),
            (4, r#"{"type":"leaveGroup","group":"room","ackId":4}"#),
        ] {
            assert_eq!(peer.receive().await, expected);
            peer.say_done(ack_id).await;
        }
        assert_eq!(
            peer.receive().await,
            r#"{"type":"sendToGroup","group":"room","noEcho":false,"dataType":"text","data":"bye"}"#
        );
    };
    let calls = async {
        let receipt = |ack_id| Receipt { ack_id, is_duplicated: false };
        assert_eq!(client.join_group("room").await.unwrap(), receipt(Some(1)));
        assert_eq!(client.send_to_group("room", "hi").await.unwrap(), receipt(Some(2)));
        let chat = Chat { text: "hi".to_owned(), number: u64::MAX };
        let sent = client.send_to_group_json("room", &chat).no_echo().ack_id(7).await;
        assert_eq!(sent.unwrap(), receipt(Some(7)));
        assert_eq!(client.send_event("order", vec![1, 2]).await.unwrap(), receipt(Some(3)));
        assert_eq!(client.leave_group("room").await.unwrap(), receipt(Some(4)));
        assert_eq!(client.send_to_group("room", "bye").fire_and_forget().await.unwrap(), receipt(None));
    };
    within(async { tokio::join!(script, calls) }).await;
}

#[tokio::test]
async fn a_refusal_has_the_services_word_and_sentence() {
    let server = Server::bind().await;
    let retry = webpubsub::Retry { max_retries: 0, ..server::QUICK };
    let client = server.builder().message_retry(retry).build().unwrap();
    let (mut peer, _events) = server.connected(&client).await;
    let script = async {
        peer.receive().await;
        peer.say(r#"{"type":"ack","ackId":1,"success":false,"error":{"name":"Forbidden","message":"No."}}"#)
            .await;
        peer.receive().await;
        peer.say(
            r#"{"type":"ack","ackId":2,"success":false,"error":{"name":"Duplicate","message":"Done."}}"#,
        )
        .await;
    };
    let calls = async {
        let error = client.join_group("room").await.unwrap_err();
        assert_eq!(error.to_string(), "the service refused it: Forbidden: No.");
        assert_eq!(error.refusal().unwrap().name, AckError::FORBIDDEN);
        let receipt = client.join_group("room").await.unwrap();
        assert_eq!(receipt, Receipt { ack_id: Some(2), is_duplicated: true });
    };
    within(async { tokio::join!(script, calls) }).await;
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_here() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    assert!(matches!(client.join_group(" ").await, Err(SendError::Name(_))));
    assert!(matches!(client.send_to_group("..", "hi").await, Err(SendError::Name(_))));
    assert!(matches!(client.send_event("no such name", "hi").await, Err(SendError::Name(_))));
    assert!(matches!(client.send_to_group_json("g", &None::<u8>).await, Err(SendError::Data(_))));
    assert!(matches!(client.invoke("e", "hi").invocation_id("").await, Err(InvokeError::EmptyId)));
    assert!(client.group_messages("").is_err());
}

#[tokio::test]
async fn an_operation_without_a_connection_says_so() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let error = within(client.join_group("room").into_future()).await.unwrap_err();
    assert!(matches!(error, SendError::NotConnected { ack_id: Some(4) }), "{error:?}");
    let error = within(client.invoke("e", "hi").into_future()).await.unwrap_err();
    assert!(matches!(error, InvokeError::NotConnected), "{error:?}");
}

#[tokio::test]
async fn an_invocation_has_an_answer_or_a_refusal() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, _events) = server.connected(&client).await;
    let script = async {
        assert_eq!(
            peer.receive().await,
            r#"{"type":"invoke","invocationId":"1","target":"event","event":"add","dataType":"json","data":[1,2]}"#
        );
        peer.say(r#"{"type":"invokeResponse","invocationId":"1","success":true,"dataType":"json","data":3}"#)
            .await;
        peer.receive().await;
        peer.say(r#"{"type":"invokeResponse","invocationId":"mine","success":true}"#).await;
        peer.receive().await;
        peer.say(
            r#"{"type":"invokeResponse","invocationId":"2","success":false,"error":{"name":"NotFound","message":"No handler."}}"#,
        )
        .await;
    };
    let calls = async {
        let answer = client.invoke_json("add", &[1, 2]).await.unwrap();
        assert_eq!(answer.json::<u8>().unwrap(), 3);
        let answer = client.invoke("add", "x").invocation_id("mine").await.unwrap();
        assert_eq!((answer.invocation_id(), answer.data()), ("mine", None));
        assert!(matches!(answer.json::<u8>(), Err(PayloadError::Missing)));
        let error = client.invoke("add", "x").await.unwrap_err();
        assert_eq!(error.to_string(), "the service refused it: NotFound: No handler.");
    };
    within(async { tokio::join!(script, calls) }).await;
}

#[tokio::test]
async fn messages_of_each_kind_reach_their_streams() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, mut events) = server.connected(&client).await;
    let mut room = client.group_messages("room").unwrap();
    peer.say_text("other", "skipped", 1).await;
    peer.say_text("room", "hello", 2).await;
    peer.say(
        r#"{"type":"message","from":"group","group":"room","dataType":"json","data":{"text":"hi","number":9007199254740993},"sequenceId":3}"#,
    )
    .await;
    peer.say(r#"{"type":"message","from":"server","dataType":"binary","data":"AQI=","sequenceId":4}"#).await;

    let message = within(room.next()).await.unwrap().unwrap();
    assert_eq!(
        (message.text(), message.group(), message.from_user()),
        (Some("hello"), Some("room"), Some("bob"))
    );
    assert_eq!(message.sequence_id(), Some(2));
    let message = within(room.next()).await.unwrap().unwrap();
    assert_eq!(
        message.json::<Chat>().unwrap(),
        Chat { text: "hi".to_owned(), number: 9_007_199_254_740_993 }
    );
    let mut all = Vec::new();
    for _ in 0..4 {
        let Event::Message(message) = next(&mut events).await else { panic!("no message") };
        all.push(message);
    }
    assert_eq!(all[3].bytes(), Some(&[1, 2][..]));
    assert_eq!((all[3].group(), all[3].data().data_type()), (None, DataType::Binary));
    assert_eq!(peer.receive().await, r#"{"type":"sequenceAck","sequenceId":4}"#);
}

#[tokio::test]
async fn protobuf_carries_the_same_calls() {
    use futures_util::SinkExt as _;
    use tokio_tungstenite::tungstenite::Message;
    use webpubsub_protocol::client::{DownstreamMessage, UpstreamMessage, protobuf};
    use webpubsub_protocol::id::AckId;
    use webpubsub_protocol::name::ConnectionId;

    let server = Server::bind().await;
    let client = server.builder().protocol(Subprotocol::ProtobufReliable).build().unwrap();
    let mut events = client.events();
    let (started, mut peer) = tokio::join!(client.start(), server.accept());
    started.unwrap();
    assert_eq!(peer.offer, "protobuf.reliable.webpubsub.azure.v1");
    let say = |message: DownstreamMessage| Message::binary(protobuf::encode_downstream(message));
    let connected = DownstreamMessage::Connected {
        connection_id: ConnectionId::parse("c1").unwrap(),
        user_id: None,
        reconnection_token: Some("r".to_owned()),
    };
    peer.socket.send(say(connected)).await.unwrap();
    assert!(matches!(next(&mut events).await, Event::Connected { user_id: None, .. }));
    let any = vec![10, 1, b'a'];
    let script = async {
        loop {
            let bytes = within(peer.socket.next()).await.unwrap().unwrap().into_data();
            let message = protobuf::decode_upstream(&bytes).unwrap();
            if let UpstreamMessage::SendToGroup { group, data, .. } = message {
                assert_eq!((group.as_str(), Data::from(data).as_bytes()), ("g", Some(&[10, 1, b'a'][..])));
                break;
            }
            assert_eq!(message, UpstreamMessage::Ping);
        }
        peer.socket.send(say(DownstreamMessage::Ack { ack_id: AckId(1), result: Ok(()) })).await.unwrap();
    };
    let (sent, ()) =
        tokio::join!(client.send_to_group("g", Data::protobuf(any).unwrap()).into_future(), script);
    assert_eq!(sent.unwrap().ack_id, Some(1));
}
