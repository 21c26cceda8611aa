//! The test shard as the host of its driver: everything is kept, for a test to look at.

use std::convert::Infallible;
use std::time::Duration;

use webpubsub_protocol::client::{Frame, Subprotocol};
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{
    Attachment, Batch, Call, CallId, Change, Host, NextTurn, NotDone, ShardId, Slot, StoredMessage, WatcherId,
};

use super::sockets::spelled_out;
use super::{Closed, Socket, TestShard};
use crate::disk::write;

impl Host for TestShard {
    type Error = Infallible;

    fn now(&self) -> Timestamp {
        self.now
    }

    fn accept(&mut self, slot: Slot, connection: ConnectionId, _: Subprotocol) -> bool {
        let socket = Socket { id: connection, attachment: Vec::new(), received: Vec::new() };
        assert!(self.sockets.insert(slot, socket).is_none(), "the slot was taken");
        true
    }

    fn attach(&mut self, slot: Slot, attachment: Attachment) -> Result<(), Infallible> {
        self.sockets.get_mut(&slot).expect("an open socket").attachment = attachment.encode();
        Ok(())
    }

    fn send(&mut self, to: &[Slot], frame: &Frame, _: &mut Vec<Slot>) {
        for slot in to {
            self.deliver(*slot, frame.clone());
        }
    }

    fn unread_bytes(&self, slot: Slot) -> u64 {
        let received = self.sockets.get(&slot).map_or(&[][..], |socket| &socket.received);
        received.iter().map(|frame| frame.len() as u64).sum()
    }

    fn close(&mut self, slot: Slot, cause: CloseCause) {
        let socket = self.sockets.remove(&slot).expect("an open socket");
        self.closed.push(Closed {
            slot,
            code: cause.code().0,
            reason: cause.reason().to_owned(),
            received: socket.received.iter().map(spelled_out).collect(),
            frames: socket.received,
        });
    }

    fn rename(&mut self, from: Slot, to: Slot) {
        let socket = self.sockets.remove(&from).expect("an open socket");
        assert!(self.sockets.insert(to, socket).is_none(), "the slot was taken");
    }

    fn forget(&mut self, slot: Slot) {
        self.sockets.remove(&slot).expect("a known socket");
    }

    fn store(&mut self, change: Change) -> Result<(), Infallible> {
        write(change, &mut self.disk, &mut self.messages);
        Ok(())
    }

    fn message(&mut self, row: u64) -> Result<Option<StoredMessage>, Infallible> {
        Ok(self.messages.get(&row).cloned())
    }

    fn relay(&mut self, to: ShardId, _: u64, batch: Batch) {
        self.relayed.push((to, batch));
    }

    fn call(&mut self, call: Call) {
        self.calls.push(call);
    }

    fn give_up(&mut self, call: CallId, after: Duration) {
        self.given_up.push((call, after));
    }

    fn send_trace(&mut self, to: WatcherId, text: &str) {
        self.traced.push((to, text.to_owned()));
    }

    fn unread_trace_bytes(&self, watcher: WatcherId) -> u64 {
        let sent = self.traced.iter().filter(|(to, _)| *to == watcher);
        sent.map(|(_, text)| text.len() as u64).sum()
    }

    fn close_trace(&mut self, watcher: WatcherId, _: CloseCause) {
        self.trace_ends.push(watcher);
    }

    fn log(&mut self, not_done: &NotDone<'_>) {
        if let NotDone::Event(_, event, failure) = not_done {
            self.gave_up.push(((*event).to_owned(), *failure));
        }
    }

    fn set_timer(&mut self, due: Option<Timestamp>) {
        self.timer = due;
    }

    fn set_alarm(&mut self, due: Option<Timestamp>) {
        self.alarm = due;
    }

    /// A test takes turns when it wants them.
    fn schedule_turn(&mut self, _: NextTurn) {}
}
