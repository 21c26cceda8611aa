#!/usr/bin/env bash
# A task that loops over tokio's `readable()` and `try_read` never gives way while there is something to read: tasks and
# timeouts of its thread wait until the peer pauses.
#
# The good guess: tokio's sockets take part in cooperative scheduling, as its documentation says of them: after 128
# operations they say `Pending` once, though they are ready, so that a task which reads from a busy peer in a loop lets
# others run. `readable().await` is a future of such a socket, so a loop that awaits it before each `try_read` does, too,
# and a `timeout` around the loop fires.
#
# Seen with tokio 1.54.1 on Linux: of 20,000 reads of a byte each, `AsyncReadExt::read` lets another task run 150 times
# or more, and `readable()` with `try_read` not once. A server that reads so is held by one client that never pauses;
# it has to count what it reads and await `tokio::task::yield_now()` (or `coop::consume_budget()`) by itself.
#
# Source: https://docs.rs/tokio/1.54.1/tokio/task/coop/index.html, which says that resources of tokio spend the budget;
# `poll_ready` of tokio/src/runtime/io/registration.rs does, and the `readiness` behind `readable()`, in the same
# file, does not: https://github.com/tokio-rs/tokio
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
tokio = { version = "=1.54.1", default-features = false, features = ["io-util", "net", "rt"] }
TOML
cat >src/main.rs <<'RUST'
use std::cell::Cell;
use std::rc::Rc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{LocalSet, spawn_local, yield_now};

const READS: usize = 20_000;

/// A socket that has more to read than will be read.
async fn full_socket() -> std::io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut client = TcpStream::connect(listener.local_addr()?).await?;
    let (server, _) = listener.accept().await?;
    client.write_all(&vec![0; READS * 2]).await?;
    while server.peek(&mut vec![0; READS * 2]).await? < READS * 2 {}
    Ok((client, server))
}

async fn run() -> std::io::Result<bool> {
    // Another task, which counts how often it has its turn.
    let turns = Rc::new(Cell::new(0));
    let counted = turns.clone();
    spawn_local(async move {
        loop {
            counted.set(counted.get() + 1);
            yield_now().await;
        }
    });

    let (_client, mut server) = full_socket().await?;
    server.read_u8().await?;
    let before = turns.get();
    for _ in 0..READS {
        server.read_u8().await?;
    }
    let by_read = turns.get() - before;

    let (_client, server) = full_socket().await?;
    server.readable().await?;
    let before = turns.get();
    for _ in 0..READS {
        server.readable().await?;
        server.try_read(&mut [0])?;
    }
    let by_readable = turns.get() - before;

    println!("turns of another task during {READS} reads: {by_read} with read, {by_readable} with readable and try_read");
    Ok(by_read >= 100 && by_readable == 0)
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let is_as_described = LocalSet::new().block_on(&runtime, run()).unwrap();
    println!("{}", if is_as_described { "As described." } else { "Changed: read the head of this script again." });
    std::process::exit(i32::from(!is_as_described));
}
RUST
nice -n 19 cargo run --quiet
