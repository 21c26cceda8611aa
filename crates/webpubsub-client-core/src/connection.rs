//! What is known of one connection, across all its sockets.

use webpubsub_protocol::name::ConnectionId;

use crate::rejoin::Announcement;
use crate::sequence::Sequence;

/// What is known of one connection, from its first open socket until it is lost for good.
#[derive(Debug)]
pub(crate) struct Connection {
    /// The URL that its first socket was opened with.
    pub(crate) url: String,
    /// Known once the service has said `connected`.
    pub(crate) id: Option<ConnectionId>,
    /// What recovers the connection.
    pub(crate) token: Option<String>,
    pub(crate) announcement: Announcement,
    pub(crate) sequence: Sequence,
    /// What the service said before closing the connection.
    pub(crate) farewell: Option<String>,
    /// Attempts in a row that had failed before its first socket opened.
    pub(crate) failures: u32,
}

impl Connection {
    pub(crate) fn new(url: String, failures: u32) -> Self {
        Self {
            url,
            id: None,
            token: None,
            announcement: Announcement::AwaitingConnected,
            sequence: Sequence::default(),
            farewell: None,
            failures,
        }
    }

    /// Whether the service has said `connected`, and not just opened a socket.
    pub(crate) const fn is_proven(&self) -> bool {
        self.id.is_some()
    }
}
