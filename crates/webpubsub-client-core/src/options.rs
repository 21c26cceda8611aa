//! How a session behaves where its application has a choice.

use std::time::Duration;

use webpubsub_protocol::client::Subprotocol;

use crate::retry::{Retry, RetryMode};

/// How a session behaves where its application has a choice. The defaults are the official SDK's.
///
/// Source: docs/spec/sdk.md#construction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// What to offer the service.
    pub subprotocol: Subprotocol,
    /// Whether to make a new connection when one is lost for good.
    pub auto_reconnect: bool,
    /// Whether to join groups again on a new connection.
    pub auto_rejoin_groups: bool,
    /// How often, and after how long, to try an operation again.
    pub message_retry: Retry,
    /// How often, and after how long, to try to connect again. The first try after a loss is
    /// immediate.
    pub reconnect_retry: Retry,
    /// Silence of the service after which the link counts as lost; zero to wait for ever.
    pub keep_alive_timeout: Duration,
    /// Time from one ping to the next; zero to send none.
    pub keep_alive_interval: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let retry = Retry {
            max_retries: 3,
            delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(30),
            mode: RetryMode::Fixed,
        };
        Self {
            subprotocol: Subprotocol::JsonReliable,
            auto_reconnect: true,
            auto_rejoin_groups: true,
            message_retry: retry,
            reconnect_retry: Retry { max_retries: u32::MAX, ..retry },
            keep_alive_timeout: Duration::from_secs(120),
            keep_alive_interval: Duration::from_secs(20),
        }
    }
}
