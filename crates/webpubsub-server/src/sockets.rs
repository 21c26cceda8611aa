//! The open sockets of one thread, and what waits to be written on them.
//!
//! A shard may run on another thread: it sends batches of [`Outgoing`], each of which names one frame and all
//! its receivers here. Every socket is then written to once, however many frames it was given.

use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::credit::Loan;
use crate::frame_queue::FrameQueue;
use crate::joined_frames::JoinedFrames;
use crate::wire::Wire;

/// The most bytes that one write carries of several frames.
const MAX_JOINED_BYTES: usize = 64 << 10;

thread_local! {
    /// Where the frames of one write are put together: the system takes a piece for less than a list.
    static JOINED: RefCell<Vec<u8>> = RefCell::new(Vec::with_capacity(MAX_JOINED_BYTES));
}

/// A socket on some thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SocketAddress {
    /// The thread's number.
    pub(crate) thread: usize,
    /// The socket there.
    pub(crate) id: SocketId,
}

/// A socket among those of its thread, never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SocketId {
    index: u32,
    generation: u32,
}

/// What a shard wants of sockets of another thread, and the credit that it takes until that has been done.
pub(crate) struct Sent {
    pub(crate) outgoing: Vec<Outgoing>,
    pub(crate) _loan: Loan,
}

/// What a shard wants of sockets of one thread.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// Send frames.
    Frame(SocketId, JoinedFrames),
    /// Send the same frames to several.
    Frames(Vec<SocketId>, JoinedFrames),
    /// Send a close frame, the last one.
    Close(SocketId, Bytes),
    /// The shard knows the socket no more. A client's close frame is answered.
    Forget(SocketId),
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
    is_dirty: Cell<bool>,
    is_broken: Cell<bool>,
    /// Whether a close frame was put on it, after which there is nothing more.
    is_over: Cell<bool>,
    /// The stage has changed, or everything is written.
    pub(crate) changed: Notify,
}

/// The sockets of one thread.
#[derive(Default)]
pub(crate) struct Sockets {
    entries: RefCell<Vec<(u32, Option<Rc<Socket>>)>>,
    free: RefCell<Vec<u32>>,
}

impl Outgoing {
    /// How many messages it is, and how many bytes they have together.
    pub(crate) fn size(&self) -> (usize, usize) {
        match self {
            Self::Frame(_, frames) => (1, frames.len()),
            Self::Frames(to, frames) => (to.len(), to.len() * frames.len()),
            Self::Close(..) | Self::Forget(_) => (1, 0),
        }
    }
}

impl Sockets {
    /// Makes a socket that has no transport yet.
    pub(crate) fn open(&self) -> Rc<Socket> {
        let mut entries = self.entries.borrow_mut();
        let index = self.free.borrow_mut().pop().unwrap_or_else(|| {
            entries.push((0, None));
            u32::try_from(entries.len() - 1).unwrap_or(u32::MAX)
        });
        let generation = entries.get(index as usize).map_or(0, |(generation, _)| *generation);
        let socket = Rc::new(Socket {
            id: SocketId { index, generation },
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
        });
        if let Some((_, entry)) = entries.get_mut(index as usize) {
            *entry = Some(Rc::clone(&socket));
        }
        socket
    }

    /// Removes a socket: nothing is put on it any more.
    pub(crate) fn remove(&self, SocketId { index, generation }: SocketId) {
        if let Some((current, entry)) = self.entries.borrow_mut().get_mut(index as usize)
            && *current == generation
            && entry.take().is_some()
        {
            *current = current.wrapping_add(1);
            self.free.borrow_mut().push(index);
        }
    }

    fn get(&self, SocketId { index, generation }: SocketId) -> Option<Rc<Socket>> {
        let entries = self.entries.borrow();
        let (current, entry) = entries.get(index as usize)?;
        if *current == generation { entry.clone() } else { None }
    }

    /// Does what shards want, and then writes to each socket once.
    pub(crate) fn deliver(&self, outgoing: impl Iterator<Item = Outgoing>) {
        let mut dirty = Vec::new();
        let mut put = |id, bytes| {
            let Some(socket) = self.get(id) else { return };
            socket.push(bytes);
            if !socket.is_dirty.replace(true) {
                dirty.push(socket);
            }
        };
        for outgoing in outgoing {
            match outgoing {
                Outgoing::Frame(id, frames) => put(id, frames.into_bytes()),
                Outgoing::Frames(to, frames) => {
                    let bytes = frames.into_bytes();
                    to.into_iter().for_each(|id| put(id, bytes.clone()));
                }
                Outgoing::Close(id, bytes) => {
                    put(id, bytes);
                    if let Some(socket) = self.get(id) {
                        socket.is_over.set(true);
                        socket.enter(Stage::Closing);
                    }
                }
                Outgoing::Forget(id) => {
                    if let Some(socket) = self.get(id) {
                        socket.enter(Stage::Forgotten);
                    }
                }
            }
        }
        for socket in dirty {
            socket.is_dirty.set(false);
            socket.flush();
        }
    }
}

impl Socket {
    /// How far its end has come.
    pub(crate) const fn stage(&self) -> Stage {
        self.stage.get()
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

    /// Writes what waits, as much as the transport takes; a task goes on with the rest.
    fn flush(self: &Rc<Self>) {
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

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use tokio::task::LocalSet;

    use super::*;

    #[tokio::test]
    async fn nothing_follows_a_close_frame() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        accepted.set_nonblocking(true).unwrap();
        let local = LocalSet::new();
        local
            .run_until(async {
                let sockets = Sockets::default();
                let socket = sockets.open();
                let wire = Rc::new(Wire::plain(tokio::net::TcpStream::from_std(accepted).unwrap()));
                wire.writable().await.unwrap();
                socket.attach(Rc::clone(&wire));
                socket.put(Bytes::from_static(b"frame, "));
                socket.put_last(Bytes::from_static(b"close"));
                let late = Bytes::from_static(b", late");
                let frames = JoinedFrames::One(late.clone());
                sockets.deliver([Outgoing::Frame(socket.id, frames)].into_iter());
                sockets.deliver([Outgoing::Close(socket.id, late)].into_iter());
                wire.shut_down();
            })
            .await;
        let mut text = String::new();
        peer.read_to_string(&mut text).unwrap();
        assert_eq!(text, "frame, close");
    }
}
