//! Starts, stops, drops of futures and handles: what each leaves, which is nothing.
#![cfg(not(target_arch = "wasm32"))]

#[path = "support/server.rs"]
mod server;

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::{StreamExt as _, poll};
use server::{QUICK, Server, next, within};
use tokio::runtime::Handle;
use webpubsub::{
    BuildError, ConnectError, Credential, Event, Events, GroupMessages, QueueLimits, Retry, StartError,
    Subprotocol, WebPubSubClient,
};

fn alive_tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// Waits until no task of a client is left.
async fn no_task_is_left() {
    within(async {
        while alive_tasks() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[test]
fn clients_and_what_they_give_move_between_threads() {
    const fn is_send_and_sync<T: Send + Sync>() {}
    const fn is_send<T: Send>() {}
    is_send_and_sync::<WebPubSubClient>();
    is_send_and_sync::<Events>();
    is_send_and_sync::<GroupMessages>();
    is_send_and_sync::<Event>();
    is_send_and_sync::<StartError>();
    is_send::<webpubsub::SendToGroup>();
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let build = |builder: webpubsub::Builder| builder.build().map(|_| ());
    let builder = || WebPubSubClient::builder("ws://h");
    assert_eq!(build(builder().protocol(Subprotocol::Simple)), Err(BuildError::Simple));
    assert_eq!(build(builder().queue(QueueLimits { events: 0, bytes: 1 })), Err(BuildError::EmptyQueue));
    assert_eq!(build(builder().keep_alive_timeout(Duration::MAX).keep_alive_interval(Duration::MAX)), Ok(()));
}

#[test]
fn without_a_runtime_a_call_fails_and_nothing_panics() {
    let client = WebPubSubClient::builder("ws://h").build().unwrap();
    let mut start = Box::pin(client.start());
    let polled = start.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(Err(StartError::Gone))));
}

#[tokio::test]
async fn a_stop_closes_the_socket_and_waits_for_its_end() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, mut events) = server.connected(&client).await;
    let (close, ()) = tokio::join!(peer.receive_close(), client.stop());
    assert_eq!(close, None);
    assert!(matches!(next(&mut events).await, Event::Disconnected { .. }));
    assert!(matches!(next(&mut events).await, Event::Stopped { .. }));
    // It starts again, and stops again.
    let (mut peer, _events) = server.connected(&client).await;
    tokio::join!(peer.receive_close(), client.stop());
}

#[tokio::test]
async fn a_message_in_front_of_a_stop_is_not_lost() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, _events) = server.connected(&client).await;
    client.send_to_group("g", "x".repeat(300_000)).fire_and_forget().await.unwrap();
    let script = async {
        assert!(peer.receive().await.len() > 300_000);
        peer.receive_close().await
    };
    let (close, ()) = tokio::join!(script, client.stop());
    assert_eq!(close, None);
}

#[tokio::test]
async fn a_stop_of_what_is_stopped_is_done_at_once() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    within(client.stop()).await;
    assert_eq!(alive_tasks(), 0);
    let (mut peer, _events) = server.connected(&client).await;
    tokio::join!(peer.receive_close(), client.stop());
    within(client.stop()).await;
}

#[tokio::test]
async fn a_second_start_is_refused() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (_peer, _events) = server.connected(&client).await;
    assert!(matches!(client.start().await, Err(StartError::NotStopped)));
}

#[tokio::test]
async fn a_start_that_is_stopped_says_so() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (started, (), _stream) = tokio::join!(
        client.start(),
        async {
            tokio::task::yield_now().await;
            client.stop().await;
        },
        server.accept_tcp()
    );
    assert!(matches!(started, Err(StartError::Stopped)), "{started:?}");
}

#[tokio::test]
async fn each_failed_start_says_what_went_wrong() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (refused, ()) = tokio::join!(client.start(), server.refuse("401 Unauthorized"));
    assert!(
        matches!(refused, Err(StartError::Connect { error: ConnectError::Refused { status: 401 }, .. })),
        "{refused:?}"
    );

    let failed = |credential: Credential| async {
        let client = WebPubSubClient::builder(credential).build().unwrap();
        let error = within(client.start()).await.unwrap_err();
        let source = error.source().map(ToString::to_string);
        let StartError::Connect { error, .. } = error else { panic!("{error:?}") };
        (error, source)
    };
    let gone = Server::bind().await.url();
    let (error, source) = failed(gone.into()).await;
    assert_eq!(error, ConnectError::Unreachable);
    assert!(source.is_some());
    for url in ["", "http://127.0.0.1:1/", "/client", "ws://"] {
        assert_eq!(failed(url.into()).await.0, ConnectError::InvalidUrl, "{url}");
    }
    let refuses = || async { Err::<String, _>(io::Error::other("the server said no")) };
    let (error, source) = failed(Credential::from_fn(refuses)).await;
    assert_eq!((error, source.as_deref()), (ConnectError::Credential, Some("the server said no")));
}

#[tokio::test]
async fn a_service_without_the_subprotocol_is_none() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (started, _socket) = tokio::join!(client.start(), async {
        tokio_tungstenite::accept_async(server.accept_tcp().await).await
    });
    let Err(StartError::Connect { error: ConnectError::Closed { .. }, source }) = started else {
        panic!("{started:?}")
    };
    assert!(source.is_some());
}

#[tokio::test]
async fn a_dropped_operation_is_not_tried_again() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, mut events) = server.connected(&client).await;
    {
        let mut join = client.join_group("dropped").into_future();
        assert!(poll!(join.as_mut()).is_pending());
        assert_eq!(peer.receive().await, r#"{"type":"joinGroup","group":"dropped","ackId":1}"#);
    }
    // Neither on the recovered link nor on a new connection.
    peer.cut();
    assert!(matches!(next(&mut events).await, Event::Recovering { .. }));
    let mut peer = server.accept().await;
    peer.say_connected().await;
    assert!(matches!(next(&mut events).await, Event::Recovered { .. }));
    let (sent, _) = tokio::join!(client.send_to_group("g", "after").into_future(), async {
        assert!(peer.receive().await.contains("after"));
        peer.say_done(2).await;
    });
    assert_eq!(sent.unwrap().ack_id, Some(2));
}

#[tokio::test]
async fn a_call_dropped_before_it_is_taken_is_not_sent() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, _events) = server.connected(&client).await;
    let mut dropped = client.send_to_group("g", "dropped").into_future();
    // On this runtime the client's task runs only when this one waits.
    assert!(poll!(dropped.as_mut()).is_pending());
    drop(dropped);
    client.send_to_group("g", "sent").fire_and_forget().await.unwrap();
    assert!(peer.receive().await.contains("sent"));
}

#[tokio::test]
async fn a_dropped_invocation_is_cancelled() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, _events) = server.connected(&client).await;
    let mut invocation = client.invoke("add", "x").into_future();
    assert!(poll!(invocation.as_mut()).is_pending());
    assert!(peer.receive().await.contains("invoke"));
    drop(invocation);
    assert_eq!(peer.receive().await, r#"{"type":"cancelInvocation","invocationId":"1"}"#);
}

#[tokio::test]
async fn a_dropped_start_is_given_up() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    {
        let mut start = Box::pin(client.start());
        assert!(poll!(start.as_mut()).is_pending());
        let _stream = server.accept_tcp().await;
    }
    let (_peer, _events) = server.connected(&client).await;
}

#[tokio::test]
async fn the_last_handle_takes_the_task_along() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    let (mut peer, mut events) = server.connected(&client).await;
    let mut room = client.group_messages("room").unwrap();
    let clone = client.clone();
    drop(client);
    assert_eq!(alive_tasks(), 1);
    drop(clone);
    assert_eq!(peer.receive_close().await, None);
    drop(peer);
    assert!(matches!(next(&mut events).await, Event::Disconnected { .. }));
    assert!(matches!(next(&mut events).await, Event::Stopped { .. }));
    assert!(within(events.next()).await.is_none());
    assert!(within(room.next()).await.is_none());
    no_task_is_left().await;
}

#[tokio::test]
async fn a_client_that_never_ran_ends_its_streams() {
    let client = WebPubSubClient::builder("ws://h").build().unwrap();
    let mut events = client.events();
    drop(client);
    assert!(within(events.next()).await.is_none());
}

#[tokio::test]
async fn a_hundred_starts_and_stops_leave_nothing() {
    let server = Server::bind().await;
    let client = server.builder().build().unwrap();
    for _ in 0..100 {
        let (started, peer) = tokio::join!(client.start(), server.accept());
        started.unwrap();
        let (_, ()) = tokio::join!(
            async {
                let mut peer = peer;
                peer.receive_close().await
            },
            client.stop()
        );
        assert_eq!(alive_tasks(), 1);
    }
    drop(client);
    no_task_is_left().await;
}

#[tokio::test]
async fn a_credential_is_asked_for_each_new_connection() {
    let server = Server::bind().await;
    let (asked, url) = (Arc::new(AtomicU32::new(0)), server.url());
    let credential = Credential::from_fn({
        let asked = asked.clone();
        move || {
            let url = format!("{url}&n={}", asked.fetch_add(1, Ordering::SeqCst));
            async move { Ok::<_, io::Error>(url) }
        }
    });
    let client = WebPubSubClient::builder(credential).reconnect_retry(QUICK).build().unwrap();
    let (peer, mut events) = server.connected(&client).await;
    assert!(peer.path.ends_with("&n=0"), "{}", peer.path);
    peer.close(1008, "").await;
    let peer = server.accept().await;
    assert!(peer.path.ends_with("&n=1"), "{}", peer.path);
    assert!(matches!(next(&mut events).await, Event::Disconnected { .. }));
}

#[tokio::test]
async fn a_runtime_that_ends_ends_the_client() {
    let server = Server::bind().await;
    let client = server.builder().message_retry(Retry { max_retries: 0, ..QUICK }).build().unwrap();
    let mut events = client.events();
    let runs = client.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert!(runtime.block_on(runs.join_group("g").into_future()).is_err());
    })
    .join()
    .unwrap();
    assert!(matches!(within(client.start()).await, Err(StartError::Gone)));
    within(client.stop()).await;
    assert!(within(events.next()).await.is_none());
}
