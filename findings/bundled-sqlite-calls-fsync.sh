#!/usr/bin/env bash
# The SQLite that libsqlite3-sys bundles syncs with fsync, where the system's SQLite on Linux syncs with fdatasync.
#
# The good guess: `bundled` is the same SQLite in another place, built for the platform as a distribution builds it. On
# Linux its commits are durable by `fdatasync`, which does not wait for what has nothing to do with the content, such as
# the time of the file's last change.
#
# Seen with rusqlite 0.43.0 (libsqlite3-sys 0.40.0) on Linux: with `journal_mode=WAL` and `synchronous=FULL` every sync
# of a commit is an `fsync`, and there is no `fdatasync` at all. SQLite's own `configure` looks for the function, so the
# sqlite3 of Debian and Python's module call it; the crate compiles `sqlite3.c` without asking, and that falls back to
# `fsync` then. Where the log's file is written anew in its old length, each commit waits for the file system's journal
# as well. With LIBSQLITE3_FLAGS=-DHAVE_FDATASYNC in the build's environment (or `[env]` of .cargo/config.toml) the
# same program calls `fdatasync` only.
#
# Source: https://www.sqlite.org/compile.html (HAVE_FDATASYNC), and libsqlite3-sys/build.rs in
# https://github.com/rusqlite/rusqlite, which sets HAVE_USLEEP and HAVE_ISNAN and not this one. Linux only.
set -euo pipefail

RUSQLITE=0.43.0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cd "$folder"
cat >Cargo.toml <<TOML
[package]
name = "syncs"
version = "0.0.0"
edition = "2024"

[dependencies]
rusqlite = { version = "=$RUSQLITE", default-features = false, features = ["bundled"] }

[workspace]
TOML
cat >src/main.rs <<'RUST'
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static FSYNCS: AtomicUsize = AtomicUsize::new(0);
static FDATASYNCS: AtomicUsize = AtomicUsize::new(0);

// They take the place of the C library's for all that is linked into this program.
#[unsafe(no_mangle)]
extern "C" fn fsync(_: i32) -> i32 {
    FSYNCS.fetch_add(1, Relaxed);
    0
}
#[unsafe(no_mangle)]
extern "C" fn fdatasync(_: i32) -> i32 {
    FDATASYNCS.fetch_add(1, Relaxed);
    0
}

fn main() -> rusqlite::Result<()> {
    let rows = rusqlite::Connection::open(std::env::args().nth(1).expect("a path"))?;
    rows.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE seen (n)")?;
    let before = [&FSYNCS, &FDATASYNCS].map(|count| count.load(Relaxed));
    for n in 0..100 {
        rows.execute("INSERT INTO seen VALUES (?)", [n])?;
    }
    let [fsyncs, fdatasyncs] = [&FSYNCS, &FDATASYNCS].map(|count| count.load(Relaxed));
    println!("{} fsync, {} fdatasync", fsyncs - before[0], fdatasyncs - before[1]);
    Ok(())
}
RUST

# Builds it with these flags for SQLite, and prints how 100 commits sync.
commits() {
  LIBSQLITE3_FLAGS=$1 cargo build --quiet --target-dir "$folder/target"
  rm -f rows.db*
  "$folder/target/debug/syncs" rows.db
}

plain=$(commits "")
asked=$(commits "-DHAVE_FDATASYNC")
echo "rusqlite $RUSQLITE, 100 commits: $plain; with -DHAVE_FDATASYNC: $asked"
[ "$plain" = "100 fsync, 0 fdatasync" ] && [ "$asked" = "0 fsync, 100 fdatasync" ] && echo "As described." || {
  echo "Changed: read the head of this script again."
  exit 1
}
