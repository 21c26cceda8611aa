#!/usr/bin/env bash
# A WebSocket of tungstenite keeps the buffer of its longest frame for as long as it is open.
#
# The good guess: what has been read is passed on, so an idle socket costs its `read_buffer_size`, whatever it has
# received before. The buffer is a `BytesMut`, of which the payload is split off; once the payload is dropped, the
# rest is the only one to hold the allocation, and the next `reserve` takes all of it back.
#
# Seen with tungstenite 0.30.0 and bytes 1.12.2: a server's context with a read buffer of 256 bytes holds 1 MiB after one
# message of 1 MiB, and after a hundred short ones, too. There is no method to give it back; a new context, made
# between two messages, does.
#
# Source: https://docs.rs/tungstenite/0.30.0/tungstenite/protocol/struct.WebSocketConfig.html (read_buffer_size).
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
bytes = "=1.12.2"
tungstenite = { version = "=0.30.0", default-features = false }
TOML
cat >src/main.rs <<'RUST'
use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};

use tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};

struct Counting;
static HELD: AtomicIsize = AtomicIsize::new(0);
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size() as isize, Relaxed);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size() as isize, Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
}
#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a client has sent, and then nothing more for now.
struct Sent<'a>(&'a [u8]);
impl Read for Sent<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() { Err(io::ErrorKind::WouldBlock.into()) } else { self.0.read(buffer) }
    }
}
impl Write for Sent<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn frame(length: usize) -> Vec<u8> {
    let mut bytes = vec![0x82, 0xff];
    bytes.extend((length as u64).to_be_bytes());
    bytes.resize(bytes.len() + 4 + length, 0);
    bytes
}

fn main() {
    let (long, short) = (frame(1 << 20), frame(10));
    let config = WebSocketConfig::default().read_buffer_size(256).write_buffer_size(0);
    let started = HELD.load(Relaxed);
    let mut context = WebSocketContext::new(Role::Server, Some(config));
    let held = || (HELD.load(Relaxed) - started) / 1024;
    let fresh = held();
    let mut receive = |bytes: &[u8]| {
        let mut sent = Sent(bytes);
        while context.read(&mut sent).is_ok() {}
    };
    receive(&short);
    let after_short = held();
    receive(&long);
    let after_long = held();
    for _ in 0..100 {
        receive(&short);
    }
    println!("held, in KiB: {fresh} new, {after_short} after 10 bytes, {after_long} after 1 MiB, {} after 100 short ones", held());
    assert!(fresh < 2 && after_short < 2, "a new context holds more than it did");
    assert!(after_long >= 1024 && held() >= 1024, "the buffer is given back now");
}
RUST
cargo run --quiet --release
echo "as it was"
