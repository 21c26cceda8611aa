#!/usr/bin/env bash
# tungstenite answers a close frame with the registered code 1014 as a breach of the protocol, and its caller is given
# 1002 in place of the peer's code.
#
# The good guess: a received close code that is registered is passed on and echoed. RFC 6455, section 5.5.1, has an
# endpoint echo the code as a rule; by section 7.4.2 codes from 1000 to 2999 may be added by later specifications, and
# 1012, 1013 and 1014 were registered so. tungstenite takes 1012 and 1013.
#
# Seen with tungstenite 0.30.0: 1014 is read as `CloseCode::Bad(1014)`, which `is_allowed` refuses. The read gives a
# close frame of 1002 with the reason "Protocol violation", and 1002 is what the peer is answered. The peer's own code
# and reason are lost, so a log blames the peer for a fault that it did not commit. `ws` 8.23.0 passes 1014 on.
#
# Source: https://www.iana.org/assignments/websocket/websocket.xhtml#close-code-number (1014, Bad Gateway) and
# https://docs.rs/tungstenite/0.30.0/tungstenite/protocol/frame/coding/enum.CloseCode.html.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "seen"
version = "0.0.0"
edition = "2024"

[dependencies]
tungstenite = { version = "=0.30.0", default-features = false }
TOML
cat >src/main.rs <<'RUST'
use std::io::{self, Cursor, Read, Write};

use tungstenite::Message;
use tungstenite::protocol::{Role, WebSocketContext};

/// What the peer has sent, and what it is sent.
struct Peer(Cursor<Vec<u8>>, Vec<u8>);
impl Read for Peer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}
impl Write for Peer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The code that the caller reads and the code that the peer is answered, for a close frame with `code`.
fn closed_with(code: u16) -> (u16, u16) {
    let mut frame = vec![0x88, 0x82, 0, 0, 0, 0];
    frame.extend(code.to_be_bytes());
    let mut peer = Peer(Cursor::new(frame), Vec::new());
    let mut context = WebSocketContext::new(Role::Server, None);
    let Ok(Message::Close(Some(close))) = context.read(&mut peer) else { panic!("no close frame was read") };
    let _ = context.read(&mut peer);
    (close.code.into(), u16::from_be_bytes([peer.1[2], peer.1[3]]))
}

fn main() {
    for (code, expected) in [(1012, 1012), (1013, 1013), (1014, 1002)] {
        let (read, answered) = closed_with(code);
        println!("a peer closes with {code}: the caller reads {read}, the peer is answered {answered}");
        assert_eq!((read, answered), (expected, expected), "this has changed");
    }
}
RUST
cargo run --quiet --release
echo "as it was"
