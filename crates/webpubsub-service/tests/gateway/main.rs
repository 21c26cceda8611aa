//! What a request from outside comes to on its way through the gateway, with a scripted host.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a broken expectation is a failed test")]

mod clients;
mod host;
mod keys;
mod management;
mod rest;
mod sessions;
