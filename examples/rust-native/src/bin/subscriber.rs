//! Prints what is published to a group: `cargo run -p example-rust-native --bin subscriber -- URL [GROUP]`.
#![expect(clippy::print_stdout, reason = "an example's output")]
#![expect(clippy::wildcard_enum_match_arm, reason = "whatever else happens is printed as it is")]

use std::error::Error;

use futures_util::StreamExt as _;
use webpubsub::{Event, WebPubSubClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // `wss:` URLs need a provider of cryptography; `ws:` URLs do without.
    let _ = rustls_graviola::default_provider().install_default();
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("which client access URL?")?;
    let group = arguments.next().unwrap_or_else(|| "room".to_owned());

    let client = WebPubSubClient::builder(url).build()?;
    let mut events = client.events();
    client.start().await?;
    client.join_group(&*group).await?;
    println!("listening to {group}");
    // A lost link is recovered, and the group is joined again on a new connection.
    while let Some(event) = events.next().await {
        match event {
            Event::Message(message) => match message.text().or_else(|| message.data().as_json()) {
                Some(text) => println!("{}: {text}", message.from_user().unwrap_or("a server")),
                None => println!("{} bytes", message.bytes().map_or(0, <[u8]>::len)),
            },
            Event::Lagged { missed } => println!("{missed} messages came too fast"),
            other => println!("{other:?}"),
        }
    }
    Ok(())
}
