#!/usr/bin/env bash
# A short `try_read` of tokio leaves its socket ready, so each message costs one more read that finds nothing.
#
# The good guess: a read that fills less than its buffer has emptied the socket, and tokio knows. Its `AsyncRead` does:
# after a short read it waits for the next event of epoll without asking the system again. So `readable().await` behind
# a short `try_read` waits, too.
#
# Seen with tokio 1.54.1 on Linux: `readable()` resolves at once, and the `try_read` behind it says `WouldBlock`. A server
# that loops over the two asks the system twice for each message. One that reads by `try_io`, and returns `WouldBlock`
# from it after a short read, asks once: the bytes are kept aside, and the next `readable()` waits.
#
# Source: https://docs.rs/tokio/1.54.1/tokio/net/struct.TcpStream.html#method.try_read, and tokio/src/io/poll_evented.rs
# in https://github.com/tokio-rs/tokio (`poll_read`, which clears readiness after a short read).
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
tokio = { version = "=1.54.1", default-features = false, features = ["io-util", "net", "rt", "time"] }
TOML
cat >src/main.rs <<'RUST'
use std::io::{ErrorKind, Read as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use tokio::io::{AsyncWriteExt as _, Interest};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Reads what is there without tokio, through a second handle of the socket.
fn read(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> std::io::Result<usize> {
    std::net::TcpStream::from(socket.try_clone_to_owned()?).read(buffer)
}

/// Whether `readable()` resolves although nothing more has come.
async fn is_ready(socket: &TcpStream) -> bool {
    timeout(Duration::from_millis(200), socket.readable()).await.is_ok()
}

async fn run() -> std::io::Result<bool> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut client = TcpStream::connect(listener.local_addr()?).await?;
    let (server, _) = listener.accept().await?;
    let mut buffer = [0; 1024];

    client.write_all(b"one").await?;
    server.readable().await?;
    let length = server.try_read(&mut buffer)?;
    let after_try_read = is_ready(&server).await;
    let second = server.try_read(&mut buffer).map_err(|error| error.kind());
    println!("try_read took {length} of 1024; readable at once: {after_try_read}; try_read again: {second:?}");

    client.write_all(b"two").await?;
    server.readable().await?;
    let mut taken = 0;
    let _ = server.try_io(Interest::READABLE, || {
        taken = read(server.as_fd(), &mut buffer)?;
        if taken < buffer.len() { Err(ErrorKind::WouldBlock.into()) } else { Ok(()) }
    });
    let after_try_io = is_ready(&server).await;
    println!("try_io took {taken} of 1024 and said WouldBlock; readable at once: {after_try_io}");
    Ok(after_try_read && second == Err(ErrorKind::WouldBlock) && taken == 3 && !after_try_io)
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let is_as_described = runtime.block_on(run()).unwrap();
    println!("{}", if is_as_described { "As described." } else { "Changed: read the head of this script again." });
    std::process::exit(i32::from(!is_as_described));
}
RUST
nice -n 19 cargo run --quiet
