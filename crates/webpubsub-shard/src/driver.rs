//! The loop around a shard: it performs what a step asks for, and sets the timer, the alarm and the next
//! turn.

use std::fmt;
use std::mem;
use std::time::Duration;

use webpubsub_protocol::client::{DataFrame, Frame, Subprotocol};
use webpubsub_protocol::close::{CloseCause, CloseCode};
use webpubsub_protocol::event_handler::CallFailure;
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::name::{ConnectionId, HubName};
use webpubsub_protocol::time::Timestamp;

use crate::command::Reply;
use crate::config::Full;
use crate::event_queue::{Call, CallId};
use crate::input::Input;
use crate::output::{Change, Output};
use crate::relay::Batch;
use crate::shard::Shard;
use crate::shard_id::ShardId;
use crate::slot::Slot;
use crate::snapshot::{Attachment, StoredMessage};
use crate::trace::{MAX_UNREAD_TRACE_BYTES, WatcherId};
use crate::turns::NextTurn;

/// The sockets, disk, clock and network of one shard.
///
/// A [`Driver`] calls these methods in the order in which a step wants things done, and none of them waits.
/// A host owes the shard:
///
/// - **One step at a time.** No method calls the driver; what a host learns meanwhile becomes an input of a
///   later step.
/// - **Nothing leaves before it is stored.** Frames, close frames, relayed rows, calls and the step's
///   [`Answer`] may leave only when everything that was stored before them is on disk, the alarm included.
///   A host may write at once, or collect a step's writes in one commit and hold back what depends on them.
/// - **A fresh start after a failure.** When a method fails, or a commit does later, what the shard believes
///   is not on disk. Nothing more may leave: the host drops the driver, closes the sockets and starts again
///   with [`Shard::restore`].
/// - **Order on a socket.** Frames of one socket are delivered in the order in which they were sent, its
///   close frame last.
/// - **A later input for what has been started.** [`Host::call`] is followed by [`Input::Called`] and
///   [`Host::relay`] by [`Input::Relayed`], also if they fail.
/// - **Time.** [`Driver::timer_fired`] or [`Driver::alarm_fired`] and then an [`Input::Timeout`] at the time
///   that was set or after it, and [`Driver::turn`] as [`Host::schedule_turn`] says.
pub trait Host {
    /// Why something was not written or read.
    type Error;

    /// The time.
    fn now(&self) -> Timestamp;

    /// Accepts the socket that the step's [`Input::Connect`] or [`Input::Recover`] is about, which is known
    /// by this slot until [`Host::close`] or [`Host::forget`].
    ///
    /// Returns whether it is open. What is sent on one that is not is dropped, and its end follows.
    fn accept(&mut self, slot: Slot, connection: ConnectionId, subprotocol: Subprotocol) -> bool;

    /// Keeps a few hundred bytes with a socket, for as long as the socket is open. A host whose sockets end
    /// with its memory has nothing to keep.
    ///
    /// # Errors
    /// The socket takes no attachment.
    fn attach(&mut self, slot: Slot, attachment: Attachment) -> Result<(), Self::Error>;

    /// Sends one frame to many sockets. Adds to `lost` those that turn out to be gone; a socket that is not
    /// known is none of them.
    fn send(&mut self, to: &[Slot], frame: &Frame, lost: &mut Vec<Slot>);

    /// Sends one data message to many sockets, each with a sequence id of its own, as [`Host::send`] does.
    /// [`send_by_number`] does it with a frame for each number.
    fn send_numbered(&mut self, to: &[(Slot, SequenceId)], frame: &DataFrame, lost: &mut Vec<Slot>) {
        send_by_number(self, to, frame, lost);
    }

    /// How many bytes wait on a socket for its client to read.
    fn unread_bytes(&self, slot: Slot) -> u64;

    /// Sends a close frame and forgets the socket.
    fn close(&mut self, slot: Slot, cause: CloseCause);

    /// Knows the socket of `from` by the slot `to`, which has none, from here on.
    fn rename(&mut self, from: Slot, to: Slot);

    /// Forgets a socket that is gone.
    fn forget(&mut self, slot: Slot);

    /// Writes a change, before anything that is done after it leaves.
    ///
    /// # Errors
    /// The disk does not take it.
    fn store(&mut self, change: Change) -> Result<(), Self::Error>;

    /// Reads a row of the log; `None` if there is none.
    ///
    /// # Errors
    /// The disk cannot be read.
    fn message(&mut self, row: u64) -> Result<Option<StoredMessage>, Self::Error>;

    /// Starts to send a batch to another shard. `last` is the last row of the log that it stands for, even if that
    /// row cannot be read any more; [`Input::Relayed`] takes it back.
    fn relay(&mut self, to: ShardId, last: u64, batch: Batch);

    /// Starts to deliver an event to its handler.
    fn call(&mut self, call: Call);

    /// Ends a call that is under way after this time at the latest, with [`CallFailure::GivenUp`].
    fn give_up(&mut self, call: CallId, after: Duration);

    /// Sends a text to an operator who watches, by [`Shard::watch`]. A host that lets no one watch has nothing to do.
    fn send_trace(&mut self, to: WatcherId, text: &str) {
        let _ = (to, text);
    }

    /// How many bytes wait for an operator who watches to read.
    fn unread_trace_bytes(&self, watcher: WatcherId) -> u64 {
        let _ = watcher;
        0
    }

    /// Sends a close frame to an operator who watched, and forgets the socket.
    fn close_trace(&mut self, watcher: WatcherId, cause: CloseCause) {
        let _ = (watcher, cause);
    }

    /// Writes to the log what the shard has not done.
    fn log(&mut self, not_done: &NotDone<'_>);

    /// Sets the timer in place of the one that is running; `None` stops it. It may be lost with the memory.
    fn set_timer(&mut self, due: Option<Timestamp>);

    /// Sets the alarm in place of the one that is set; `None` deletes it. It outlives the memory: a host that
    /// is not running then is started for it.
    fn set_alarm(&mut self, due: Option<Timestamp>);

    /// Has [`Driver::turn`] called when it is due. This may be asked for again before the turn has come.
    fn schedule_turn(&mut self, next: NextTurn);
}

/// Sends one data message to many sockets: one frame for neighbours with the same sequence id, which members of a
/// group often have.
pub fn send_by_number<H: Host + ?Sized>(
    host: &mut H,
    to: &[(Slot, SequenceId)],
    frame: &DataFrame,
    lost: &mut Vec<Slot>,
) {
    for sharing in to.chunk_by(|(_, one), (_, other)| one == other) {
        let Some((_, id)) = sharing.first() else { continue };
        let slots: Vec<Slot> = sharing.iter().map(|(slot, _)| *slot).collect();
        host.send(&slots, &frame.with(Some(*id)), lost);
    }
}

/// Something that a shard has not done, and rightly so, for the log of its host.
#[derive(Debug)]
pub enum NotDone<'a> {
    /// So many roles of a connection that is about to be accepted are invalid, or more than it may have.
    Roles(usize),
    /// This event of a connection was not delivered to its handler, and will not be.
    Event(&'a ConnectionId, &'a str, CallFailure),
}

impl NotDone<'_> {
    /// What a shard of this hub has not done. Why is its text.
    #[must_use]
    pub fn what(&self, hub: &HubName) -> String {
        match self {
            Self::Roles(_) => format!("reading the roles of a client of hub {hub}"),
            Self::Event(connection, event, _) => {
                format!("delivering {event} of connection {connection} to its event handler")
            }
        }
    }
}

impl fmt::Display for NotDone<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Roles(count) => write!(f, "{count} are invalid, or more than it may have"),
            Self::Event(_, _, failure) => f.write_str(failure.name()),
        }
    }
}

/// What a step answers to its caller.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The reply to [`Input::Command`].
    pub reply: Option<Reply>,
    /// What the client of an accepted socket speaks; `None` where [`Input::Connect`] was refused, or where
    /// [`Input::Recover`] found no connection.
    pub accepted: Option<Subprotocol>,
    /// Why [`Input::Connect`] was refused, or its socket not accepted.
    pub refused: Option<Full>,
}

/// A shard, and what its host has been asked to wait for.
#[derive(Debug)]
pub struct Driver {
    /// The shard itself. Outputs taken from it directly are to be given to [`Driver::perform`].
    pub shard: Shard,
    /// When the timer fires, if it is running.
    timer: Option<Timestamp>,
    /// When the alarm fires, as far as this life of the memory knows.
    alarm: Option<Timestamp>,
}

impl Driver {
    /// Drives a shard that was just restored, with no timer and an alarm that is not known
    /// ([`Driver::found_alarm`]). What restoring led to is still to be given to [`Driver::perform`].
    #[must_use]
    pub const fn new(shard: Shard) -> Self {
        Self { shard, timer: None, alarm: None }
    }

    /// Gives the shard one input and performs everything that follows from it.
    ///
    /// # Errors
    /// The host's. The driver is not to be used again.
    pub fn step<H: Host>(&mut self, host: &mut H, input: Input) -> Result<Answer, H::Error> {
        let outputs = self.shard.handle(host.now(), input);
        let answer = self.perform(host, outputs)?;
        self.keep_alarm(host);
        Ok(answer)
    }

    /// Has the shard carry out what has arrived, as much as a turn takes.
    ///
    /// # Errors
    /// The host's. The driver is not to be used again.
    pub fn turn<H: Host>(&mut self, host: &mut H) -> Result<(), H::Error> {
        let outputs = self.shard.turn(host.now());
        self.perform(host, outputs)?;
        self.keep_alarm(host);
        Ok(())
    }

    /// Takes a turn if something that has arrived waits for one, so that the next step finds it done.
    ///
    /// # Errors
    /// The host's. The driver is not to be used again.
    pub fn catch_up<H: Host>(&mut self, host: &mut H) -> Result<(), H::Error> {
        if self.shard.has_queued() { self.turn(host) } else { Ok(()) }
    }

    /// Performs outputs of the shard, and what follows from them. Leaves the alarm as it is, which a platform
    /// may not allow to be set while the alarm itself is starting the host.
    ///
    /// # Errors
    /// The host's. The driver is not to be used again.
    pub fn perform<H: Host>(&mut self, host: &mut H, outputs: Vec<Output>) -> Result<Answer, H::Error> {
        let (mut answer, mut lost) = (Answer::default(), Vec::new());
        self.perform_each(host, outputs, &mut answer, &mut lost)?;
        while !lost.is_empty() {
            for slot in mem::take(&mut lost) {
                let closed = Input::Closed { slot, code: CloseCode::ABNORMAL, reason: String::new() };
                let outputs = self.shard.handle(host.now(), closed);
                self.perform_each(host, outputs, &mut answer, &mut lost)?;
            }
        }
        self.keep_timer(host);
        if let Some(next) = self.shard.next_turn() {
            host.schedule_turn(next);
        }
        Ok(answer)
    }

    /// The timer has fired: [`Input::Timeout`] follows.
    pub const fn timer_fired(&mut self) {
        self.timer = None;
    }

    /// The alarm has fired: [`Input::Timeout`] follows.
    pub const fn alarm_fired(&mut self) {
        self.alarm = None;
    }

    /// The host has found when the alarm fires that outlived its memory. One that is due may be what started the host,
    /// and counts as none.
    pub fn found_alarm(&mut self, now: Timestamp, due: Timestamp) {
        if due > now {
            self.alarm.get_or_insert(due);
        }
    }

    /// Sets the alarm for the shard's next deadline, unless one is set that fires by then.
    pub fn keep_alarm<H: Host>(&mut self, host: &mut H) {
        let due = self.shard.next_deadline();
        if replaces(due, self.alarm) {
            host.set_alarm(due);
            self.alarm = due;
        }
    }

    /// Sets the timer for the shard's next timeout, unless one is running that fires by then.
    fn keep_timer<H: Host>(&mut self, host: &mut H) {
        let due = self.shard.next_timeout();
        if replaces(due, self.timer) {
            host.set_timer(due);
            self.timer = due;
        }
    }

    /// Performs one list of outputs. Adds to `lost` the slots of sockets that turn out to be gone.
    fn perform_each<H: Host>(
        &mut self,
        host: &mut H,
        outputs: Vec<Output>,
        answer: &mut Answer,
        lost: &mut Vec<Slot>,
    ) -> Result<(), H::Error> {
        for output in outputs {
            match output {
                Output::Accept { connection, subprotocol, slot } => {
                    if host.accept(slot, connection, subprotocol) {
                        answer.accepted = Some(subprotocol);
                    } else {
                        answer.refused = Some(Full::Shard);
                        lost.push(slot);
                    }
                }
                Output::Refuse(full) => answer.refused = Some(full),
                Output::Reply(reply) => answer.reply = Some(reply),
                // The step's caller learns it by the step's end.
                Output::CannotRecover | Output::BatchTaken => {}
                Output::Send { to, frame } => host.send(&to, &frame, lost),
                Output::SendNumbered { to, frame } => host.send_numbered(&to, &frame, lost),
                Output::Close { slot, cause } => {
                    // Another socket may have the slot next.
                    lost.retain(|other| *other != slot);
                    host.close(slot, cause);
                }
                Output::Rename { from, to } => host.rename(from, to),
                Output::Forget { slot } => host.forget(slot),
                Output::Attach { slot, attachment } => host.attach(slot, attachment)?,
                Output::Store(change) => host.store(change)?,
                Output::Fetch { row, to } => {
                    let message = host.message(row)?;
                    let outputs = self.shard.handle(host.now(), Input::Fetched { message, to });
                    self.perform_each(host, outputs, answer, lost)?;
                }
                Output::Measure { slots } => {
                    let measured = slots.into_iter().map(|slot| (slot, host.unread_bytes(slot))).collect();
                    let outputs = self.shard.handle(host.now(), Input::Measured(measured));
                    self.perform_each(host, outputs, answer, lost)?;
                }
                Output::Relay { to, rows } => {
                    let mut messages = Vec::with_capacity(rows.len());
                    for row in &rows {
                        messages.extend(host.message(*row)?.map(|message| (*row, message)));
                    }
                    if let Some(last) = rows.last() {
                        host.relay(to, *last, Batch { from: self.shard.id(), messages });
                    }
                }
                Output::Trace { to, frame } => {
                    if host.unread_trace_bytes(to) > MAX_UNREAD_TRACE_BYTES {
                        self.shard.unwatch(to);
                        host.close_trace(to, CloseCause::SlowConsumer);
                    } else {
                        host.send_trace(to, &frame);
                    }
                }
                Output::EndTrace { watcher, cause } => host.close_trace(watcher, cause),
                Output::Call(call) => host.call(*call),
                Output::GiveUp { call, after } => host.give_up(call, after),
                Output::EventFailed { connection, event, failure } => {
                    host.log(&NotDone::Event(&connection, &event, failure));
                }
                Output::SkippedRoles(count) => host.log(&NotDone::Roles(count)),
            }
        }
        Ok(())
    }
}

/// Whether what is set has to be replaced to fire when it is due. One that fires before that stays: the shard
/// then asks for the next.
fn replaces(due: Option<Timestamp>, set: Option<Timestamp>) -> bool {
    match (due, set) {
        (None, None) => false,
        (Some(due), Some(set)) => due < set,
        (Some(_), None) | (None, Some(_)) => true,
    }
}
