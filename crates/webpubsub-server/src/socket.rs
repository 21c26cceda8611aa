//! One open socket, and what waits to be written on it.

use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::frame_queue::FrameQueue;
use crate::wire::Wire;

/// The most bytes that one write carries of several frames.
const MAX_JOINED_BYTES: usize = 64 << 10;

thread_local! {
    /// Where the frames of one write are put together: the system takes a piece for less than a list.
    static JOINED: RefCell<Vec<u8>> = RefCell::new(Vec::with_capacity(MAX_JOINED_BYTES));
}

/// A socket among those of its thread, never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SocketId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// How far a socket's end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Frames go both ways.
    Open,
    /// A close frame was put behind the frames that wait.
    Closing,
    /// The shard knows it no more.
    Forgotten,
}

/// One socket.
pub(crate) struct Socket {
    /// Where it is.
    pub(crate) id: SocketId,
    /// `None` until the upgrade of its request is done.
    wire: RefCell<Option<Rc<Wire>>>,
    queue: RefCell<FrameQueue>,
    /// How many bytes wait in it.
    queued: Cell<u64>,
    /// How many bytes of the first frame are written.
    written: Cell<usize>,
    /// How many bytes wait that the transport did not take when it was offered them: those that are on their way here,
    /// or have just come, are no fault of the client.
    unread: Arc<AtomicU64>,
    stage: Cell<Stage>,
    /// Whether the transport takes no more, and a task waits to write on; or it is not there yet.
    is_blocked: Cell<bool>,
    /// Whether it is among those that are written to next.
    is_dirty: Cell<bool>,
    is_broken: Cell<bool>,
    /// Whether a close frame was put on it, after which there is nothing more.
    is_over: Cell<bool>,
    /// The stage has changed, or everything is written.
    pub(crate) changed: Notify,
}

impl Socket {
    /// One that has no transport yet.
    pub(crate) fn new(id: SocketId) -> Self {
        Self {
            id,
            wire: RefCell::default(),
            queue: RefCell::default(),
            queued: Cell::new(0),
            written: Cell::new(0),
            unread: Arc::default(),
            stage: Cell::new(Stage::Open),
            is_blocked: Cell::new(true),
            is_dirty: Cell::new(false),
            is_broken: Cell::new(false),
            is_over: Cell::new(false),
            changed: Notify::new(),
        }
    }

    /// How far its end has come.
    pub(crate) const fn stage(&self) -> Stage {
        self.stage.get()
    }

    /// Its close frame was put on it.
    pub(crate) fn end(&self) {
        self.is_over.set(true);
        self.enter(Stage::Closing);
    }

    /// Its shard knows it no more.
    pub(crate) fn forget(&self) {
        self.enter(Stage::Forgotten);
    }

    fn enter(&self, stage: Stage) {
        self.stage.set(stage);
        self.changed.notify_one();
    }

    /// Gives the socket its transport, and writes what waits.
    pub(crate) fn attach(self: &Rc<Self>, wire: Rc<Wire>) {
        *self.wire.borrow_mut() = Some(wire);
        self.is_blocked.set(false);
        self.flush();
    }

    /// How many bytes wait that the transport did not take, for whoever is elsewhere.
    pub(crate) fn shared_unread(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.unread)
    }

    /// Puts what a shard has sent behind the frames that wait. Returns whether it is not among those that are written to
    /// next, and is to be.
    pub(crate) fn put_delivered(&self, frame: Bytes) -> bool {
        self.push(frame);
        !self.is_dirty.replace(true)
    }

    /// Puts a frame that the shard does not know of behind those that wait.
    pub(crate) fn put(self: &Rc<Self>, frame: Bytes) {
        self.push(frame);
        self.flush();
    }

    /// Puts a close frame that the shard does not know of behind those that wait. Whatever is on its way here comes
    /// too late.
    pub(crate) fn put_last(self: &Rc<Self>, frame: Bytes) {
        self.push(frame);
        self.is_over.set(true);
        self.flush();
    }

    /// Whether nothing waits to be written, or nothing more can be.
    pub(crate) fn is_written(&self) -> bool {
        let is_flushed = || self.wire.borrow().as_ref().is_none_or(|wire| wire.is_flushed());
        self.is_broken.get() || (self.queue.borrow().is_empty() && is_flushed())
    }

    fn push(&self, frame: Bytes) {
        if !self.is_broken.get() && !self.is_over.get() {
            self.queued.update(|bytes| bytes + frame.len() as u64);
            self.queue.borrow_mut().push(frame);
            self.count_unread();
        }
    }

    fn count_unread(&self) {
        let unread = if self.is_blocked.get() { self.queued.get() } else { 0 };
        self.unread.store(unread, Ordering::Relaxed);
    }

    /// How many bytes wait that the transport may take; `None` where it takes none.
    pub(crate) fn writable_bytes(&self) -> Option<u64> {
        (!self.is_blocked.get()).then(|| self.queued.get())
    }

    /// Writes what shards have put on it.
    pub(crate) fn write_delivered(self: &Rc<Self>) {
        self.is_dirty.set(false);
        self.flush();
    }

    /// Writes what waits, as much as the transport takes; a task goes on with the rest.
    pub(crate) fn flush(self: &Rc<Self>) {
        if self.is_blocked.get() {
            return;
        }
        let Some(wire) = self.wire.borrow().clone() else { return };
        if !self.write(&wire) {
            self.is_blocked.set(true);
            self.count_unread();
            let socket = Rc::clone(self);
            tokio::task::spawn_local(async move {
                while !socket.is_broken.get() && wire.writable().await.is_ok() {
                    if socket.write(&wire) {
                        break;
                    }
                    socket.count_unread();
                }
                socket.is_blocked.set(false);
                socket.count_unread();
                socket.changed.notify_one();
            });
        }
    }

    /// Writes until nothing waits, which it returns, or the transport takes no more.
    fn write(&self, wire: &Wire) -> bool {
        let mut queue = self.queue.borrow_mut();
        loop {
            let is_empty = queue.is_empty();
            if is_empty && wire.is_flushed() {
                return true;
            }
            match self.write_some(&queue, wire) {
                Ok(taken) => {
                    self.queued.update(|bytes| bytes.saturating_sub(taken as u64));
                    self.advance(&mut queue, taken);
                    if taken == 0 && is_empty {
                        return wire.is_flushed();
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => {
                    // The end of the connection is read by the task that reads.
                    self.is_broken.set(true);
                    queue.clear();
                    self.queued.set(0);
                    self.changed.notify_one();
                    return true;
                }
            }
        }
    }

    /// Writes the first frames at once, or the first alone where it is large. Returns how many bytes were taken.
    fn write_some(&self, queue: &FrameQueue, wire: &Wire) -> io::Result<usize> {
        let mut frames = queue.iter();
        let first = frames.next().and_then(|frame| frame.get(self.written.get()..)).unwrap_or_default();
        let next = frames.next().filter(|next| first.len() + next.len() <= MAX_JOINED_BYTES);
        let Some(next) = next else { return wire.try_write(first) };
        JOINED.with_borrow_mut(|joined| {
            joined.clear();
            joined.extend_from_slice(first);
            joined.extend_from_slice(next);
            for frame in frames {
                if joined.len() + frame.len() > MAX_JOINED_BYTES {
                    break;
                }
                joined.extend_from_slice(frame);
            }
            wire.try_write(joined)
        })
    }

    fn advance(&self, queue: &mut FrameQueue, taken: usize) {
        let mut written = self.written.get() + taken;
        while let Some(frame) = queue.first().filter(|frame| frame.len() <= written) {
            written -= frame.len();
            queue.pop();
        }
        self.written.set(written);
    }
}
