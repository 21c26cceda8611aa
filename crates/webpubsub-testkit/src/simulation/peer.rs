//! A client that is none of ours: a device that speaks MQTT as its library does, or a bare WebSocket.

use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::client::{Echo, Subprotocol};
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::ConnectRequest;

use super::client::request_of;
use super::library::Library;
use super::random::Random;
use super::words::{GROUPS, Profile, USERS, group_name};

/// A client that is none of ours.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) profile: Profile,
    /// Whether its application has it started.
    pub(super) started: bool,
    /// The socket that it listens to.
    pub(super) socket: Option<usize>,
    /// What it keeps beside, if it speaks MQTT.
    pub(super) library: Option<Library>,
}

impl Peer {
    pub(super) fn draw(random: &mut Random, number: usize, now: Timestamp) -> Self {
        let is_mqtt = random.chance(700);
        let subprotocol = if is_mqtt { Subprotocol::Mqtt } else { Subprotocol::Simple };
        let echo = random.pick(&[Echo::Send, Echo::Skip]);
        let mode = (!is_mqtt).then(|| (random.below(GROUPS.len()) as u8, echo));
        let library = is_mqtt.then(|| Library::draw(random, number, now));
        let profile = Profile {
            subprotocol,
            user: random.below(USERS.len()) as u8,
            groups: (random.below(16) & random.below(16)) as u8,
            allowed: random.chance(850),
            mode,
        };
        Self { profile, started: true, socket: None, library }
    }

    /// As what its token admits it.
    pub(super) fn request(&self) -> ConnectRequest {
        let mode = match self.profile.mode {
            Some((group, echo)) => SimpleMode::SendToGroup { group: group_name(group), echo },
            None => SimpleMode::SendEvent,
        };
        ConnectRequest { mode, ..request_of(self.profile) }
    }

    /// Whether it can send something.
    pub(super) fn is_ready(&self) -> bool {
        self.socket.is_some() && self.library.as_ref().is_none_or(|library| library.is_ready)
    }

    /// Whether nothing of what it does is under way.
    pub(super) fn is_done(&self) -> bool {
        self.is_ready() && self.library.as_ref().is_none_or(Library::is_done)
    }

    /// When it looks at the time.
    pub(super) fn next_timeout(&self) -> Option<Timestamp> {
        self.library.as_ref().filter(|_| self.socket.is_some()).map(Library::next_timeout)
    }
}
