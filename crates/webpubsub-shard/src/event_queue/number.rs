//! The numbers of events.

/// The number of `connected`. `connect` has 0.
///
/// Source: docs/spec/cloudevents.md#requests.
pub(crate) const CONNECTED: u64 = 1;

/// The number of what comes after it.
pub(crate) const AFTER_CONNECTED: u64 = CONNECTED + 1;
