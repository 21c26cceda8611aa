//! Clients of rumqttc, unmodified, as devices of the end-to-end tests.
//!
//! Reads calls as lines of JSON and prints a line for each answer, for each message that a device receives and for each
//! end of a connection, as `tests/support/devices/devices.py` describes it.

mod device;
mod v4;
mod v5;

use std::collections::HashMap;
use std::io;

use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use device::{Call, Device};

#[derive(Deserialize)]
struct Line {
    call: u64,
    device: String,
    #[serde(rename = "do")]
    what: String,
    #[serde(rename = "with")]
    options: Value,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let mut devices: HashMap<String, UnboundedSender<Call>> = HashMap::new();
    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let Line { call, device: name, what, options } = serde_json::from_str(&line)?;
        let sender = devices.entry(name.clone()).or_insert_with(|| {
            let (sender, calls) = unbounded_channel();
            let device = Device { name };
            // A device's first call connects it, which says the version.
            if options["version"] == 5 {
                tokio::spawn(v5::run(device, calls));
            } else {
                tokio::spawn(v4::run(device, calls));
            }
            sender
        });
        let _ = sender.send(Call { call, what, options });
    }
    Ok(())
}
