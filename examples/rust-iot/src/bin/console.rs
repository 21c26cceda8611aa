//! A console: prints what devices send and show, and sends them commands.
//! `cargo run -p example-rust-iot --bin console -- URL`, and then lines such as `NAME every 200`, `NAME sample 100`
//! and `NAME stop`.
#![expect(clippy::print_stdout, reason = "an example's output")]

use std::error::Error;

use example_rust_iot::{Command, DEVICES, Reading, SAMPLES, TELEMETRY, commands_to};
use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio::io::{AsyncBufReadExt as _, BufReader, stdin};
use webpubsub::{Event, GroupStream, GroupStreamError, GroupStreamOptions, Message, WebPubSubClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // `wss:` URLs need a provider of cryptography; `ws:` URLs do without.
    let _ = rustls_graviola::default_provider().install_default();
    let url = std::env::args().nth(1).ok_or("which client access URL?")?;
    let client = WebPubSubClient::builder(url).build()?;
    let mut events = client.events();
    let mut streams = client.group_streams(GroupStreamOptions::default().group(SAMPLES).from_start());
    client.start().await?;
    client.join_group(TELEMETRY).await?;
    client.join_group(SAMPLES).await?;
    client.subscribe_group_states(DEVICES).await?;
    println!("watching");

    let mut lines = BufReader::new(stdin()).lines();
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(Event::Message(message)) => print_reading(&message),
                Some(Event::GroupStatesChanged { group }) => {
                    for member in client.list_group_states(&group)? {
                        println!("{} shows {:?}", member.user_id.unwrap_or_default(), member.state);
                    }
                }
                Some(other) => println!("{other:?}"),
                None => return Ok(()),
            },
            Some(stream) = streams.next() => {
                tokio::spawn(print_samples(stream?));
            }
            line = lines.next_line() => match line? {
                Some(line) => match parse(&line) {
                    Some((device, command)) => {
                        client.send_to_group_json(commands_to(device), &command).await?;
                    }
                    None => println!("NAME every MILLISECONDS, NAME sample COUNT, or NAME stop"),
                },
                None => {
                    client.stop().await;
                    return Ok(());
                }
            },
        }
    }
}

fn print_reading(message: &Message) {
    match message.json() {
        Ok(Reading { device, number, celsius }) => println!("{device} {number}: {celsius:.2} °C"),
        Err(error) => println!("no reading: {error}"),
    }
}

async fn print_samples(stream: GroupStream) {
    let id = stream.id().to_owned();
    let samples: Result<Vec<Message>, GroupStreamError> = stream.try_collect().await;
    match samples {
        Ok(samples) => println!("{} samples of stream {id}", samples.len()),
        Err(error) => println!("stream {id}: {error}"),
    }
}

fn parse(line: &str) -> Option<(&str, Command)> {
    let mut words = line.split_whitespace();
    let (device, command) = (words.next()?, words.next()?);
    let command = match (command, words.next()) {
        ("every", Some(milliseconds)) => Command::Every { milliseconds: milliseconds.parse().ok()? },
        ("sample", Some(count)) => Command::Sample { count: count.parse().ok()? },
        ("stop", None) => Command::Stop,
        _ => return None,
    };
    Some((device, command))
}
