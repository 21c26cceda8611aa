//! What the client for tokio costs for each message that it receives, beside a bare tungstenite that looks for one
//! number: why the load generator does not use the client.
#![allow(missing_docs, reason = "Criterion's macros make public items")]
#![expect(clippy::expect_used, clippy::panic, reason = "a benchmark may")]

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use webpubsub::{Subprotocol, WebPubSubClient};

/// So many messages at once fit into the queue of an application that reads nothing meanwhile.
const MESSAGES: u64 = 1000;

const CONNECTED: &str = r#"{"type":"system","event":"connected","userId":"u","connectionId":"c"}"#;

/// A message of a group with a payload of some hundred bytes and a number.
fn message(number: u64) -> String {
    let padding = "x".repeat(90);
    format!(
        r#"{{"type":"message","from":"group","group":"g","fromUserId":"u","dataType":"text","data":"{number:010}{padding}"}}"#
    )
}

async fn accept(listener: &TcpListener) -> WebSocketStream<TcpStream> {
    let (stream, _) = listener.accept().await.expect("a connection");
    stream.set_nodelay(true).expect("a socket option");
    #[expect(clippy::result_large_err, reason = "the library's")]
    let callback = |request: &Request, mut response: Response| {
        if let Some(value) = request.headers().get(SEC_WEBSOCKET_PROTOCOL) {
            response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, value.clone());
        }
        Ok(response)
    };
    tokio_tungstenite::accept_hdr_async(stream, callback).await.expect("a WebSocket")
}

/// Sends all messages and returns when the other end has received them.
async fn burst(
    server: &mut WebSocketStream<TcpStream>,
    messages: &[String],
    received: impl Future<Output = ()>,
) {
    let send = async {
        for message in messages {
            server.feed(Message::text(message.as_str())).await.expect("a connection");
        }
        server.flush().await.expect("a connection");
    };
    tokio::join!(send, received);
}

fn receive(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let messages: Vec<String> = (0..MESSAGES).map(message).collect();
    let mut group = criterion.benchmark_group("client/receive");
    group.throughput(Throughput::Elements(MESSAGES));

    group.bench_function("bare", |bencher| {
        bencher.iter_custom(|rounds| {
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                let url = format!("ws://{}/", listener.local_addr().expect("an address"));
                let opening = tokio_tungstenite::connect_async(url);
                let (mut server, opened) = tokio::join!(accept(&listener), opening);
                let (mut client, _) = opened.expect("a connection");
                timed(rounds, async || {
                    burst(&mut server, &messages, async {
                        let mut sum = 0;
                        for _ in 0..MESSAGES {
                            let Some(Ok(Message::Text(text))) = client.next().await else {
                                panic!("no message")
                            };
                            let at = text.find(r#""data":""#).expect("a payload") + 8;
                            sum +=
                                text.get(at..at + 10).expect("ten digits").parse::<u64>().expect("a number");
                        }
                        assert_eq!(sum, MESSAGES * (MESSAGES - 1) / 2);
                    })
                    .await;
                })
                .await
            })
        });
    });

    group.bench_function("webpubsub", |bencher| {
        bencher.iter_custom(|rounds| {
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                let url = format!("ws://{}/client/hubs/h", listener.local_addr().expect("an address"));
                let client =
                    WebPubSubClient::builder(url).protocol(Subprotocol::Json).build().expect("options");
                let mut read = client.group_messages("g").expect("a group");
                let (started, mut server) = tokio::join!(client.start(), accept(&listener));
                started.expect("a connection");
                server.send(Message::text(CONNECTED)).await.expect("a connection");
                timed(rounds, async || {
                    burst(&mut server, &messages, async {
                        let mut sum = 0;
                        for _ in 0..MESSAGES {
                            let message = read.next().await.expect("a message").expect("all of them");
                            let text = message.text().expect("text");
                            sum += text.get(..10).expect("ten digits").parse::<u64>().expect("a number");
                        }
                        assert_eq!(sum, MESSAGES * (MESSAGES - 1) / 2);
                    })
                    .await;
                })
                .await
            })
        });
    });
    group.finish();
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
async fn timed(rounds: u64, mut round: impl AsyncFnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..rounds {
        round().await;
    }
    start.elapsed()
}

criterion_group!(benches, receive);
criterion_main!(benches);
