//! How a hub calls its event handlers.

use std::time::Duration;

use webpubsub_protocol::event_handler::{CallFailure, is_public};
use webpubsub_protocol::name::HubName;

use crate::settings::HubSettings;

/// How a hub calls its event handlers.
#[derive(Debug, Clone)]
pub struct EventPolicy {
    /// The hub's name.
    pub hub: HubName,
    /// The hub's settings, until [`crate::Input::Settings`] says otherwise.
    pub settings: HubSettings,
    /// How long the delivery of one event may take, with every attempt.
    pub timeout: Duration,
    /// The pauses between attempts; one attempt more than pauses.
    pub retries: Vec<Duration>,
    /// Whether handlers may be at private addresses, and without TLS.
    pub private_allowed: bool,
}

impl EventPolicy {
    /// The default of [`EventPolicy::timeout`], in seconds.
    ///
    /// Source: docs/spec/cloudevents.md#retries.
    pub const DEFAULT_TIMEOUT_SECONDS: u32 = 100;
    /// The default of [`EventPolicy::retries`], in seconds.
    ///
    /// Source: docs/spec/cloudevents.md#retries.
    pub const DEFAULT_RETRY_SECONDS: [u32; 3] = [1, 3, 5];

    /// The defaults: no event handlers.
    #[must_use]
    pub fn new(hub: HubName) -> Self {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        Self {
            hub,
            settings: HubSettings::default(),
            timeout: seconds(Self::DEFAULT_TIMEOUT_SECONDS),
            retries: Self::DEFAULT_RETRY_SECONDS.map(seconds).to_vec(),
            private_allowed: false,
        }
    }

    /// Why a URL may not be called, if it may not.
    #[must_use]
    pub fn barred(&self, url: &str) -> Option<CallFailure> {
        (!self.private_allowed && !is_public(url)).then_some(CallFailure::NotPublic)
    }
}
