//! A shard's host on this platform: what a step asks for is collected, and leaves when what was written before
//! is on disk.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;
use webpubsub_protocol::client::{DataFrame, Frame, Subprotocol};
use webpubsub_protocol::close::{CloseCause, fit_reason};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::name::{ConnectionId, HubName};
use webpubsub_protocol::time::Timestamp;
use webpubsub_service::{Holder, ObjectHost, ShardAnswer};
use webpubsub_shard::{
    Attachment, Batch, Call, CallId, Change, Host, NextTurn, NotDone, Reply, ShardId, Slot, StoredMessage,
    WatcherId,
};
use webpubsub_store::ShardStore;

use crate::clock;
use crate::database::{DatabaseError, Sqlite};
use crate::given_up::GivenUp;
use crate::joined_frames::JoinedFrames;
use crate::shard_message::{Life, Offered, Seat};
use crate::socket::SocketId;
use crate::sockets::{Outgoing, SocketAddress};
use crate::{frames, log};

/// The number of the seat that was given last. A shard that starts again knows none of those before.
static LAST_SEAT: AtomicU64 = AtomicU64::new(0);

/// What a shard's steps ask for.
pub(crate) struct ShardHost {
    pub(crate) life: Life,
    pub(crate) database: Sqlite,
    pub(crate) store: ShardStore<Sqlite>,
    hub: HubName,
    /// When the turn that is taken has begun: whatever it does is done then. The clock is not looked at for each message.
    now: Timestamp,
    /// The open sockets, by their slots.
    seats: Vec<Option<Seated>>,
    /// The slots of sockets that are known by another one now than their tasks know, by the numbers of their seats.
    renamed: BTreeMap<u64, Slot>,
    /// The sockets of operators who watch.
    watchers: BTreeMap<WatcherId, Seated>,
    /// The socket that was accepted last.
    newest: Seat,
    /// The socket that an input is about which may be accepted.
    pub(crate) offered: Option<(SocketAddress, Arc<AtomicU64>)>,
    /// For each thread, what its sockets are to be given.
    outgoing: Vec<Vec<Outgoing>>,
    /// What else is to leave.
    pub(crate) waiting: Vec<Waiting>,
    /// When the timer and the alarm fire.
    pub(crate) timer: Option<Timestamp>,
    pub(crate) alarm: Option<Timestamp>,
    /// Whether a turn is to be taken.
    pub(crate) next_turn: Option<NextTurn>,
    /// The calls of event handlers that are under way.
    pub(crate) calls: BTreeMap<CallId, Rc<GivenUp>>,
}

/// An open socket.
struct Seated {
    number: u64,
    socket: SocketAddress,
    unread: Arc<AtomicU64>,
}

/// What leaves when everything that was written before is on disk.
pub(crate) enum Waiting {
    /// The reply to a command.
    Reply(oneshot::Sender<Reply>, Reply),
    /// The answer to a call.
    Answer(oneshot::Sender<ShardAnswer>, ShardAnswer),
    /// What becomes of a socket.
    Offered(oneshot::Sender<Offered>, Offered),
    /// A batch for another shard, whose last row this is.
    Relay(ShardId, u64, Batch),
    /// An event for its handler.
    Call(Box<Call>, Rc<GivenUp>),
}

impl ShardHost {
    pub(crate) fn new(
        life: Life,
        database: Sqlite,
        store: ShardStore<Sqlite>,
        hub: HubName,
        threads: usize,
    ) -> Self {
        Self {
            life,
            database,
            store,
            hub,
            now: clock::steady(),
            seats: Vec::new(),
            renamed: BTreeMap::new(),
            watchers: BTreeMap::new(),
            newest: Seat { holder: Holder::Client(Slot(0)), number: 0 },
            offered: None,
            outgoing: (0..threads).map(|_| Vec::new()).collect(),
            waiting: Vec::new(),
            timer: None,
            alarm: None,
            next_turn: None,
            calls: BTreeMap::new(),
        }
    }

    /// A turn begins.
    pub(crate) fn begin_turn(&mut self) {
        self.now = clock::steady();
    }

    /// The slot that the client of a seat has by now.
    pub(crate) fn client_of(&self, Seat { holder, number }: Seat) -> Option<Slot> {
        let Holder::Client(slot) = holder else { return None };
        let slot = self.renamed.get(&number).copied().unwrap_or(slot);
        self.is_seated(Seat { holder: Holder::Client(slot), number }).then_some(slot)
    }

    /// Whether the slot of a seat has the same socket still.
    pub(crate) fn is_seated(&self, Seat { holder, number }: Seat) -> bool {
        let seated = match holder {
            Holder::Client(slot) => self.place(slot),
            Holder::Watcher(watcher) => self.watchers.get(&watcher),
        };
        seated.is_some_and(|seated| seated.number == number)
    }

    /// Forgets the socket of an operator who watches no more.
    pub(crate) fn forget_watcher(&mut self, watcher: WatcherId) {
        if let Some(seated) = self.watchers.remove(&watcher) {
            self.put(seated.socket, Outgoing::Forget);
        }
    }

    /// The seat that was given last, if its socket is still there.
    pub(crate) fn newest_seat(&self) -> Option<Seat> {
        Some(self.newest).filter(|seat| self.is_seated(*seat))
    }

    /// Takes what sockets are to be given, with the numbers of their threads.
    pub(crate) fn take_outgoing(&mut self) -> impl Iterator<Item = (usize, Vec<Outgoing>)> {
        let taken = self.outgoing.iter_mut().map(std::mem::take);
        taken.enumerate().filter(|(_, outgoing)| !outgoing.is_empty())
    }

    /// Drops what has not left, and closes all sockets: what they were to be given is not on disk.
    pub(crate) fn fail(&mut self) {
        self.outgoing.iter_mut().for_each(Vec::clear);
        self.waiting.clear();
        let watchers = std::mem::take(&mut self.watchers).into_values();
        for seated in std::mem::take(&mut self.seats).into_iter().flatten().chain(watchers) {
            self.close_socket(&seated, CloseCause::ServiceFault);
        }
        self.calls.values().for_each(|call| call.give_up());
    }

    fn place(&self, slot: Slot) -> Option<&Seated> {
        self.seats.get(slot.0 as usize)?.as_ref()
    }

    fn put(
        &mut self,
        SocketAddress { thread, id }: SocketAddress,
        outgoing: impl FnOnce(SocketId) -> Outgoing,
    ) {
        if let Some(waiting) = self.outgoing.get_mut(thread) {
            waiting.push(outgoing(id));
        }
    }

    /// Puts one frame on a socket, in one piece with those before it.
    fn put_on_one(&mut self, SocketAddress { thread, id }: SocketAddress, frame: Bytes) {
        let Some(waiting) = self.outgoing.get_mut(thread) else { return };
        // Frames of other sockets are no matter, of which one may have come in between: an ack, say.
        let before = waiting.iter_mut().rev().take(2).map_while(|outgoing| match outgoing {
            Outgoing::Frame(to, frames) => Some((*to, frames)),
            Outgoing::Frames(..) | Outgoing::Close(..) | Outgoing::Forget(_) => None,
        });
        if !before.into_iter().find(|(to, _)| *to == id).is_some_and(|(_, frames)| frames.add(&frame)) {
            waiting.push(Outgoing::Frame(id, JoinedFrames::One(frame)));
        }
    }

    /// Puts one frame on the sockets of these slots, in one piece with those before it that go to the same.
    fn put_on(&mut self, mut slots: impl ExactSizeIterator<Item = Slot>, frame: Bytes) {
        if slots.len() == 1 {
            let Some(socket) = slots.next().and_then(|slot| self.place(slot)).map(|place| place.socket)
            else {
                return;
            };
            return self.put_on_one(socket, frame);
        }
        let each = slots.len() / self.outgoing.len().max(1) + 1;
        let mut open: Vec<_> = self.outgoing.iter().map(|_| Vec::with_capacity(each)).collect();
        for slot in slots {
            let Some(place) = self.place(slot) else { continue };
            if let Some(sockets) = open.get_mut(place.socket.thread) {
                sockets.push(place.socket.id);
            }
        }
        for (waiting, sockets) in
            self.outgoing.iter_mut().zip(open).filter(|(_, sockets)| !sockets.is_empty())
        {
            if let Some(Outgoing::Frames(to, frames)) = waiting.last_mut()
                && *to == sockets
                && frames.add(&frame)
            {
                continue;
            }
            waiting.push(Outgoing::Frames(sockets, JoinedFrames::One(frame.clone())));
        }
    }

    /// Sends a close frame, the last one.
    fn close_socket(&mut self, seated: &Seated, cause: CloseCause) {
        let frame = frames::close(cause.code().0, fit_reason(cause.reason()));
        self.put(seated.socket, |id| Outgoing::Close(id, frame));
    }

    fn seat(&mut self, slot: Slot, seated: Seated) {
        let index = slot.0 as usize;
        if self.seats.len() <= index {
            self.seats.resize_with(index + 1, || None);
        }
        if let Some(seat) = self.seats.get_mut(index) {
            *seat = Some(seated);
        }
    }

    fn remove(&mut self, slot: Slot) -> Option<Seated> {
        let seated = self.seats.get_mut(slot.0 as usize)?.take()?;
        self.renamed.remove(&seated.number);
        Some(seated)
    }
}

impl Host for ShardHost {
    type Error = DatabaseError;

    fn now(&self) -> Timestamp {
        self.now
    }

    fn accept(&mut self, slot: Slot, _: ConnectionId, _: Subprotocol) -> bool {
        let Some((socket, unread)) = self.offered.take() else { return false };
        let number = LAST_SEAT.fetch_add(1, Ordering::Relaxed) + 1;
        self.newest = Seat { holder: Holder::Client(slot), number };
        self.seat(slot, Seated { number, socket, unread });
        true
    }

    fn attach(&mut self, _: Slot, _: Attachment) -> Result<(), DatabaseError> {
        // Sockets end with the process.
        Ok(())
    }

    fn send(&mut self, to: &[Slot], frame: &Frame, _: &mut Vec<Slot>) {
        self.put_on(to.iter().copied(), frames::message(frame));
    }

    fn send_numbered(&mut self, to: &[(Slot, SequenceId)], frame: &DataFrame, _: &mut Vec<Slot>) {
        for sharing in to.chunk_by(|(_, one), (_, other)| one == other) {
            let Some((_, id)) = sharing.first() else { continue };
            let frame = frames::message(&frame.with(Some(*id)));
            self.put_on(sharing.iter().map(|(slot, _)| *slot), frame);
        }
    }

    fn unread_bytes(&self, slot: Slot) -> u64 {
        self.place(slot).map_or(0, |place| place.unread.load(Ordering::Relaxed))
    }

    fn close(&mut self, slot: Slot, cause: CloseCause) {
        if let Some(place) = self.remove(slot) {
            self.close_socket(&place, cause);
        }
    }

    fn rename(&mut self, from: Slot, to: Slot) {
        let Some(seated) = self.remove(from) else { return };
        self.renamed.insert(seated.number, to);
        self.seat(to, seated);
    }

    fn forget(&mut self, slot: Slot) {
        if let Some(place) = self.remove(slot) {
            self.put(place.socket, Outgoing::Forget);
        }
    }

    fn store(&mut self, change: Change) -> Result<(), DatabaseError> {
        self.store.store(&change)
    }

    fn message(&mut self, row: u64) -> Result<Option<StoredMessage>, DatabaseError> {
        self.store.message(row)
    }

    fn relay(&mut self, to: ShardId, last: u64, batch: Batch) {
        self.waiting.push(Waiting::Relay(to, last, batch));
    }

    fn call(&mut self, call: Call) {
        let given_up = Rc::new(GivenUp::default());
        self.calls.insert(call.id, Rc::clone(&given_up));
        self.waiting.push(Waiting::Call(Box::new(call), given_up));
    }

    fn give_up(&mut self, call: CallId, after: Duration) {
        if let Some(call) = self.calls.get(&call) {
            call.give_up_after(after);
        }
    }

    fn send_trace(&mut self, to: WatcherId, text: &str) {
        let Some(seated) = self.watchers.get(&to) else { return };
        let frame = frames::message(&Frame::Text(text.to_owned()));
        self.put(seated.socket, |id| Outgoing::Frame(id, JoinedFrames::One(frame)));
    }

    fn unread_trace_bytes(&self, watcher: WatcherId) -> u64 {
        self.watchers.get(&watcher).map_or(0, |seated| seated.unread.load(Ordering::Relaxed))
    }

    fn close_trace(&mut self, watcher: WatcherId, cause: CloseCause) {
        if let Some(seated) = self.watchers.remove(&watcher) {
            self.close_socket(&seated, cause);
        }
    }

    fn log(&mut self, not_done: &NotDone<'_>) {
        log::refusal(&not_done.what(&self.hub), not_done);
    }

    fn set_timer(&mut self, due: Option<Timestamp>) {
        self.timer = due;
    }

    fn set_alarm(&mut self, due: Option<Timestamp>) {
        // All stored shards are started with the process, as files allow, and know their deadlines then.
        self.alarm = due;
    }

    fn schedule_turn(&mut self, next: NextTurn) {
        self.next_turn = Some(next);
    }
}

impl ObjectHost for ShardHost {
    type Database = Sqlite;

    fn tables(&self) -> &ShardStore<Sqlite> {
        &self.store
    }

    fn hub(&self) -> &HubName {
        &self.hub
    }

    fn accept_watcher(&mut self, watcher: WatcherId, _: &str) -> bool {
        let Some((socket, unread)) = self.offered.take() else { return false };
        let number = LAST_SEAT.fetch_add(1, Ordering::Relaxed) + 1;
        self.newest = Seat { holder: Holder::Watcher(watcher), number };
        self.watchers.insert(watcher, Seated { number, socket, unread });
        true
    }
}
