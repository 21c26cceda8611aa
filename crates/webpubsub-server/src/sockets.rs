//! The open sockets of one thread, and what waits to be written on them.
//!
//! A shard may run on another thread: it sends batches of [`Outgoing`], each of which names one frame and all
//! its receivers here. Every socket is then written to once, however many frames it was given.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;

use crate::credit::{Loan, Loans};
use crate::joined_frames::JoinedFrames;
use crate::slices::Slices;
use crate::socket::{Socket, SocketId};

/// A socket on some thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SocketAddress {
    /// The thread's number.
    pub(crate) thread: usize,
    /// The socket there.
    pub(crate) id: SocketId,
}

/// What a shard wants of sockets of one thread, and the credit that it takes until that has been done.
pub(crate) struct Sent {
    pub(crate) outgoing: Vec<Outgoing>,
    pub(crate) loan: Loan,
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

/// The sockets of one thread.
#[derive(Default)]
pub(crate) struct Sockets {
    entries: RefCell<Vec<(u32, Option<Rc<Socket>>)>>,
    free: RefCell<Vec<u32>>,
    slices: Slices,
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
        let socket = Rc::new(Socket::new(SocketId { index, generation }));
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

    /// Does what shards want, and then writes to each socket once. Returns whether something is left to be written, by
    /// which others of the thread should have had their turns.
    pub(crate) fn deliver(&self, sent: impl IntoIterator<Item = Sent>) -> bool {
        let (mut dirty, mut loans) = (Vec::new(), Loans::default());
        let mut put = |id, bytes| {
            let Some(socket) = self.get(id) else { return };
            if socket.put_delivered(bytes) {
                dirty.push(socket);
            }
        };
        let outgoing = sent.into_iter().flat_map(|Sent { outgoing, loan }| {
            loans.push(loan);
            outgoing
        });
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
                        socket.end();
                    }
                }
                Outgoing::Forget(id) => {
                    if let Some(socket) = self.get(id) {
                        socket.forget();
                    }
                }
            }
        }
        self.slices.write(dirty, loans)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use tokio::task::LocalSet;

    use super::*;
    use crate::credit::Credit;
    use crate::wire::Wire;

    fn sent(outgoing: Outgoing) -> Sent {
        Sent { outgoing: vec![outgoing], loan: Credit::of(0).lend(1, 0) }
    }

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
                sockets.deliver([sent(Outgoing::Frame(socket.id, frames))]);
                sockets.deliver([sent(Outgoing::Close(socket.id, late))]);
                wire.shut_down();
            })
            .await;
        let mut text = String::new();
        peer.read_to_string(&mut text).unwrap();
        assert_eq!(text, "frame, close");
    }
}
