//! The streams that one connection has open to groups.

use std::mem;
use std::time::Duration;

use webpubsub_protocol::client::{Echo, StreamError, StreamId, StreamPart};
use webpubsub_protocol::json::Json;
use webpubsub_protocol::limits::{DEFAULT_STREAM_IDLE_MILLIS, MAX_STREAMS};
use webpubsub_protocol::name::GroupName;
use webpubsub_protocol::time::Timestamp;

use crate::error::Refusal;

/// The streams that one connection has open to groups, at most [`MAX_STREAMS`].
///
/// Source: docs/spec/client.md#streams.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    pub(crate) open: Vec<Stream>,
    /// When its shard looks for idle ones among them, if it does.
    pub(crate) watched: Option<Timestamp>,
}

/// One stream.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) id: StreamId,
    /// What it is called where its id takes too much place.
    pub(crate) number: u16,
    pub(crate) group: GroupName,
    pub(crate) echo: Echo,
    pub(crate) idle_millis: u32,
    /// The next fragment.
    pub(crate) expected: u64,
    /// When its publisher last sent something.
    pub(crate) active: Timestamp,
    /// Whether `expected` or `active` are not where they outlive the memory.
    pub(crate) is_changed: bool,
    /// Whether its publisher is owed an ack.
    pub(crate) owes_ack: bool,
}

/// How far a stream has come, as the socket of its publisher carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    number: u16,
    expected: u64,
    active: Timestamp,
}

impl Streams {
    /// How many are open.
    pub(crate) const fn len(&self) -> usize {
        self.open.len()
    }

    pub(crate) fn get_mut(&mut self, id: &StreamId) -> Option<&mut Stream> {
        self.open.iter_mut().find(|stream| stream.id == *id)
    }

    /// Opens a stream.
    pub(crate) fn start(
        &mut self,
        now: Timestamp,
        id: StreamId,
        group: GroupName,
        echo: Echo,
        idle_millis: Option<u32>,
    ) -> Result<&mut Stream, Refusal> {
        if idle_millis == Some(0) {
            return Err(Refusal::NeverIdle);
        }
        if self.get_mut(&id).is_some() {
            return Err(Refusal::StreamOpen);
        }
        if self.open.len() >= MAX_STREAMS {
            return Err(Refusal::TooManyStreams);
        }
        // As many numbers as there can be streams, and one more, of which one is not taken.
        let is_free = |number: &u16| self.open.iter().all(|stream| stream.number != *number);
        let number = (0..).find(is_free).unwrap_or_default();
        let idle_millis = idle_millis.unwrap_or(DEFAULT_STREAM_IDLE_MILLIS);
        let (is_changed, owes_ack) = (false, false);
        let stream =
            Stream { id, number, group, echo, idle_millis, expected: 1, active: now, is_changed, owes_ack };
        Ok(self.open.push_mut(stream))
    }

    /// Closes a stream.
    pub(crate) fn remove(&mut self, id: &StreamId) -> Option<Stream> {
        let at = self.open.iter().position(|stream| stream.id == *id)?;
        Some(self.open.swap_remove(at))
    }

    /// When the first of them has been idle for too long.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        self.open.iter().map(Stream::due).min()
    }

    /// Lets the idle time of all of them begin.
    pub(crate) fn refresh(&mut self, now: Timestamp) {
        for stream in &mut self.open {
            (stream.active, stream.is_changed) = (now, true);
        }
    }

    /// How far each of them has come.
    pub(crate) fn progress(&self) -> Vec<Progress> {
        let progress = |stream: &Stream| Progress {
            number: stream.number,
            expected: stream.expected,
            active: stream.active,
        };
        self.open.iter().map(progress).collect()
    }

    /// Continues from what the socket carries.
    pub(crate) fn resume(&mut self, progress: &[Progress]) {
        for Progress { number, expected, active } in progress {
            if let Some(stream) = self.open.iter_mut().find(|stream| stream.number == *number) {
                (stream.expected, stream.active) = (*expected, *active);
            }
        }
    }

    /// Puts a stream back that its change has written.
    pub(crate) fn restore(&mut self, number: u16, text: &str) -> Option<()> {
        let [id, group, echo, idle_millis, expected, active] = Json::parse(text)?.texts()?.try_into().ok()?;
        self.open.push(Stream {
            id: StreamId::parse(id).ok()?,
            number,
            group: GroupName::parse(group).ok()?,
            echo: if echo.is_empty() { Echo::Send } else { Echo::Skip },
            idle_millis: idle_millis.parse().ok()?,
            expected: expected.parse().ok()?,
            active: Timestamp::from_millis(active.parse().ok()?),
            is_changed: false,
            owes_ack: false,
        });
        Some(())
    }
}

impl Stream {
    /// When it has been idle for too long.
    pub(crate) fn due(&self) -> Timestamp {
        self.active.after(Duration::from_millis(self.idle_millis.into()))
    }

    /// Takes the number of an ack that its publisher is owed, if one is.
    pub(crate) const fn take_ack(&mut self) -> Option<u64> {
        if mem::replace(&mut self.owes_ack, false) { Some(self.expected) } else { None }
    }

    /// What its next message is in it: a fragment, or the end.
    pub(crate) fn part(&self, end: Option<Result<(), StreamError>>) -> Box<StreamPart> {
        Box::new(StreamPart { stream_id: self.id.clone(), sequence_id: self.expected, end })
    }
}

impl Progress {
    /// Writes it: the number in 2 bytes, the next fragment and the time in 8 each.
    pub(crate) fn encode(self, bytes: &mut Vec<u8>) {
        bytes.extend(self.number.to_le_bytes());
        bytes.extend(self.expected.to_le_bytes());
        bytes.extend(self.active.as_millis().to_le_bytes());
    }

    /// Reads what [`Progress::encode`] wrote, and returns what follows.
    pub(crate) fn decode(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (number, bytes) = bytes.split_first_chunk()?;
        let (expected, bytes) = bytes.split_first_chunk()?;
        let (active, bytes) = bytes.split_first_chunk()?;
        let active = Timestamp::from_millis(u64::from_le_bytes(*active));
        let (number, expected) = (u16::from_le_bytes(*number), u64::from_le_bytes(*expected));
        Some((Self { number, expected, active }, bytes))
    }
}
