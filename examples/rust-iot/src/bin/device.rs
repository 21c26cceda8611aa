//! A device: sends telemetry, takes commands, and survives lost links.
//! `cargo run -p example-rust-iot --bin device -- URL`; the URL's user is the device's name.
#![expect(clippy::print_stdout, reason = "an example's output")]

use std::error::Error;
use std::time::Duration;

use example_rust_iot::{Command, DEVICES, Reading, SAMPLES, TELEMETRY, commands_to};
use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep};
use webpubsub::{Event, Events, Next, StartError, WebPubSubClient};

/// Readings that are kept while there is no link; past that no more are taken.
const MAX_WAITING: usize = 1000;

/// The client numbers its own calls from 1.
const FIRST_ACK_ID: u64 = 1 << 32;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // `wss:` URLs need a provider of cryptography; `ws:` URLs do without.
    let _ = rustls_graviola::default_provider().install_default();
    let url = std::env::args().nth(1).ok_or("which client access URL?")?;
    let client = WebPubSubClient::builder(url).build()?;
    let mut events = client.events();
    connect(&client).await;
    let device = name(&mut events).await.ok_or("the client access URL names no user")?;
    println!("{device} is there");
    client.join_group(DEVICES).await?;
    client.join_group(commands_to(&device)).await?;

    let (readings, new_readings) = mpsc::channel(MAX_WAITING);
    let sending = tokio::spawn(send(client.clone(), new_readings));
    let mut every = Duration::from_secs(1);
    let mut ticks = ticks(every);
    let mut number = 0;
    show(&client, every).await;
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                number += 1;
                let reading = Reading { device: device.clone(), number, celsius: measure(number) };
                if readings.try_send(reading).is_err() {
                    println!("reading {number} is lost: too many wait");
                }
            }
            event = events.next() => match event {
                Some(Event::Message(message)) => match message.json() {
                    Ok(Command::Every { milliseconds }) => {
                        every = Duration::from_millis(milliseconds.max(10));
                        ticks = self::ticks(every);
                        show(&client, every).await;
                    }
                    Ok(Command::Sample { count }) => {
                        tokio::spawn(sample(client.clone(), count));
                    }
                    Ok(Command::Stop) => break,
                    Err(error) => println!("no command: {error}"),
                },
                // The state that a device shows belongs to its connection, and this is another one.
                Some(Event::Connected { .. }) => show(&client, every).await,
                Some(Event::Disconnected { next: Next::Stop, .. }) | None => break,
                Some(other) => println!("{other:?}"),
            }
        }
    }
    drop(readings);
    sending.await?;
    client.stop().await;
    println!("{device} has stopped");
    Ok(())
}

/// Connects, as often as it takes: only the first attempt is the application's to repeat.
async fn connect(client: &WebPubSubClient) {
    loop {
        match client.start().await {
            Ok(()) | Err(StartError::NotStopped) => return,
            Err(error) => println!("no connection: {error}"),
        }
        sleep(Duration::from_secs(1)).await;
    }
}

/// Who this connection acts for.
async fn name(events: &mut Events) -> Option<String> {
    loop {
        if let Event::Connected { user_id, .. } = events.next().await? {
            return user_id;
        }
    }
}

fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Shows the members of the group of devices how this one is.
async fn show(client: &WebPubSubClient, every: Duration) {
    let state = [("status", "online".to_owned()), ("every", every.as_millis().to_string())];
    if let Err(error) = client.set_group_state(DEVICES, state).await {
        println!("the state is not shown: {error}");
    }
}

/// Sends one reading after the other, each until it is acknowledged. It has an ack id of its own, so that the service
/// publishes it once, however often it is tried on a connection.
async fn send(client: WebPubSubClient, mut readings: mpsc::Receiver<Reading>) {
    while let Some(reading) = readings.recv().await {
        let ack_id = FIRST_ACK_ID + reading.number;
        while let Err(error) = client.send_to_group_json(TELEMETRY, &reading).ack_id(ack_id).await {
            println!("reading {} waits: {error}", reading.number);
            sleep(Duration::from_millis(500)).await;
        }
    }
}

/// Sends what is measured quickly as one stream: in order, piece by piece, and over a recovered link if need be.
async fn sample(client: WebPubSubClient, count: u32) {
    let sent = async {
        let stream = client.open_group_stream(SAMPLES).await?;
        for number in 1..=u64::from(count) {
            stream.write_json(&measure(number)).await?;
        }
        stream.end().await
    };
    if let Err(error) = sent.await {
        println!("the samples are not sent: {error}");
    }
}

/// A thermometer, for an example.
fn measure(number: u64) -> f64 {
    20.0 + ((number as f64) / 10.0).sin()
}
