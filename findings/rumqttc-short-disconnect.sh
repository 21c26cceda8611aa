#!/usr/bin/env bash
# rumqttc takes the shortest DISCONNECT of MQTT 5.0 that has a reason for an unfinished packet: its client reports an
# aborted connection when the server ends it, and never learns why.
#
# The good guess: a DISCONNECT of three bytes, E0 01 8E, says "session taken over". MQTT 5.0, section 3.14.2.2.1, lets
# the length of the properties be left out where the remaining length is less than 2.
#
# Seen with rumqttc 0.25.1 (its module v5): behind every reason it reads a length of properties. With that length,
# E0 02 8E 00, the reason arrives. So a server that speaks to it always sends the longer form.
#
# Source: https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html, section 3.14.2.2.1, and
# rumqttc/src/v5/mqttbytes/v5/disconnect.rs in https://github.com/bytebeamio/rumqtt.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "try"
version = "0.0.0"
edition = "2024"

[dependencies]
rumqttc = { version = "=0.25.1", default-features = false }
TOML
cat >src/main.rs <<'RUST'
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use rumqttc::v5::{Client, MqttOptions};

/// What the client reports when the server sends this behind its CONNACK.
fn reported(disconnect: &'static [u8]) -> Vec<String> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let _ = socket.read(&mut [0; 1024]);
        socket.write_all(&[0x20, 0x03, 0x00, 0x00, 0x00]).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        socket.write_all(disconnect).unwrap();
        std::thread::sleep(Duration::from_secs(2));
    });
    let mut options = MqttOptions::new("c", "127.0.0.1", port);
    options.set_keep_alive(Duration::from_secs(30));
    let (_client, mut connection) = Client::new(options, 10);
    let mut lines = Vec::new();
    for event in connection.iter() {
        lines.push(format!("{event:?}"));
        if event.is_err() || lines.iter().any(|line| line.contains("Disconnect")) {
            break;
        }
    }
    lines
}

fn main() {
    let long = reported(&[0xE0, 0x02, 0x8E, 0x00]).join("\n  ");
    let short = reported(&[0xE0, 0x01, 0x8E]).join("\n  ");
    println!("E0 02 8E 00:\n  {long}\nE0 01 8E:\n  {short}");
    let is_as_described = long.contains("SessionTakenOver") && short.contains("ConnectionAborted");
    println!("{}", if is_as_described { "As described." } else { "Changed: read the head of this script again." });
    std::process::exit(i32::from(!is_as_described));
}
RUST
cargo run --quiet
