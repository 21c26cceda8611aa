//! The options of a client.

use std::time::Duration;

use webpubsub_client_core::{Options, Retry};
use webpubsub_protocol::client::Subprotocol;

use crate::client::WebPubSubClient;
use crate::credential::Credential;
use crate::handle::Handle;
use crate::platform::{Connector, prepare};
use crate::queue::QueueLimits;

/// The options of a client, each with the default of Microsoft's client.
///
/// Source: docs/spec/sdk.md#construction.
#[derive(Debug)]
#[must_use = "an option does nothing until the client is built"]
pub struct Builder {
    credential: Credential,
    options: Options,
    queue: QueueLimits,
    connector: Connector,
}

/// Why there is no client with these options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A simple client has neither acks nor groups, so there is nothing here for it.
    #[error("the subprotocol has to be one of JSON or protobuf")]
    Simple,
    /// A queue without room keeps nothing.
    #[error("a queue has room for one event at least")]
    EmptyQueue,
}

impl WebPubSubClient {
    /// Begins to build a client, from a client access URL or from a [`Credential`].
    pub fn builder(credential: impl Into<Credential>) -> Builder {
        let (options, queue) = (Options::default(), QueueLimits::default());
        Builder { credential: credential.into(), options, queue, connector: Connector::default() }
    }
}

impl Builder {
    /// What to offer the service: [`Subprotocol::JsonReliable`] by default.
    pub const fn protocol(mut self, protocol: Subprotocol) -> Self {
        self.options.subprotocol = protocol;
        self
    }

    /// Whether to make a new connection when one is lost for good: yes by default.
    pub const fn auto_reconnect(mut self, auto_reconnect: bool) -> Self {
        self.options.auto_reconnect = auto_reconnect;
        self
    }

    /// Whether to join groups again on a new connection: yes by default.
    pub const fn auto_rejoin_groups(mut self, auto_rejoin_groups: bool) -> Self {
        self.options.auto_rejoin_groups = auto_rejoin_groups;
        self
    }

    /// How often, and after how long, to try an operation again: three times, after 1 s each, by
    /// default.
    pub const fn message_retry(mut self, retry: Retry) -> Self {
        self.options.message_retry = retry;
        self
    }

    /// How often, and after how long, to try to connect again: for ever, after 1 s each, by default.
    /// The first try after a loss is immediate.
    pub const fn reconnect_retry(mut self, retry: Retry) -> Self {
        self.options.reconnect_retry = retry;
        self
    }

    /// Silence of the service after which the link counts as lost; zero to wait for ever. 120 s by
    /// default.
    pub const fn keep_alive_timeout(mut self, timeout: Duration) -> Self {
        self.options.keep_alive_timeout = timeout;
        self
    }

    /// Time from one ping to the next; zero to send none. 20 s by default.
    pub const fn keep_alive_interval(mut self, interval: Duration) -> Self {
        self.options.keep_alive_interval = interval;
        self
    }

    /// How much is kept of what the application has not read, for each stream.
    pub const fn queue(mut self, limits: QueueLimits) -> Self {
        self.queue = limits;
        self
    }

    /// How to open `wss:` URLs, where the platform's roots and the process's crypto provider will not
    /// do. Native targets only.
    #[cfg(all(feature = "rustls", not(target_arch = "wasm32")))]
    pub fn tls(mut self, config: std::sync::Arc<rustls::ClientConfig>) -> Self {
        self.connector.set_tls(config);
        self
    }

    /// The client, which does nothing until it is started.
    ///
    /// # Errors
    /// [`BuildError`] for options that make no sense.
    pub fn build(self) -> Result<WebPubSubClient, BuildError> {
        let encoding = self.options.subprotocol.encoding().ok_or(BuildError::Simple)?;
        if self.queue.events == 0 {
            return Err(BuildError::EmptyQueue);
        }
        prepare();
        let handle = Handle::new(self.options, encoding, self.credential, self.connector, self.queue);
        Ok(WebPubSubClient::new(handle))
    }
}
