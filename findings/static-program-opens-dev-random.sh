#!/usr/bin/env bash
# A static program with the crate getrandom opens /dev/random and /dev/urandom, and has no randomness without them.
#
# The good guess: on Linux the crate makes the system call getrandom, with files as a fallback for kernels from before
# 2014; so a static program in an empty folder (chroot, an image from scratch whose runtime gives it no /dev) has random
# bytes on any kernel of today.
#
# Seen with getrandom 0.4.3 and Rust 1.95 for x86_64-unknown-linux-gnu: the crate looks for the C library's function with
# dlsym, which finds nothing in a program that is linked statically (-C target-feature=+crt-static), and takes that for
# an old kernel. In an empty folder `fill` fails with "No such file or directory". Container runtimes give /dev/random
# and /dev/urandom; a chroot has to have both. Who wants none of that builds with
# --cfg getrandom_backend="linux_getrandom".
#
# Source: https://docs.rs/getrandom/0.4.3/getrandom/#supported-targets (Linux: "getrandom system call if available,
# otherwise /dev/urandom after successfully polling /dev/random").
set -euo pipefail

GETRANDOM=0.4.3
TARGET=x86_64-unknown-linux-gnu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/random/src"
cd "$folder/random"
cat >Cargo.toml <<TOML
[package]
name = "random"
version = "0.0.0"
edition = "2024"

[dependencies]
getrandom = "=$GETRANDOM"

[workspace]
TOML
cat >src/main.rs <<'RUST'
fn main() {
    println!("{:?}", getrandom::fill(&mut [0; 16]).map_err(|error| error.to_string()));
}
RUST

# Builds it with these flags and prints what it says in a folder that has nothing but the program.
alone() {
  local flags=$1 empty
  RUSTFLAGS="$flags" cargo build --quiet --target "$TARGET" --target-dir "$folder/target"
  empty=$(mktemp -d -p "$folder")
  cp "$folder/target/$TARGET/debug/random" "$empty/"
  unshare --map-root-user --root "$empty" /random
}

static="-C target-feature=+crt-static"
found=$(alone "$static")
syscall=$(alone "$static --cfg getrandom_backend=\"linux_getrandom\"")
echo "static: $found"
echo "static, with the system call alone: $syscall"
[[ $found == Err* && $syscall == "Ok(())" ]] && echo "getrandom $GETRANDOM: as described." || {
  echo "Changed: read the head of this script again."
  exit 1
}
