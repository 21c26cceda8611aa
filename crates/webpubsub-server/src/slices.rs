//! Sockets that were given something and are not written to yet. A fan-out to very many is written in slices, between
//! which the other tasks of the thread have their turns; one of short messages to a hundred is one slice.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::vec;

use tokio::task::{spawn_local, yield_now};

use crate::credit::Loans;
use crate::socket::Socket;

/// What is written at once, in bytes: that of some hundreds of microseconds.
const SLICE: usize = 2 << 20;
/// What one call of `send` counts in addition to its bytes: it costs about as much as copying 16 KiB.
const WRITE: usize = 16 << 10;

/// Sockets that wait to be written to, of all deliveries whose sockets were too many.
#[derive(Default)]
pub(crate) struct Slices(Rc<RefCell<VecDeque<Rest>>>);

/// What a delivery has left.
struct Rest {
    sockets: vec::IntoIter<Rc<Socket>>,
    /// The credit that it takes until it is written.
    _loans: Loans,
}

impl Slices {
    /// Writes to sockets, which are marked as dirty until then, and drops the loans after that. Returns whether something
    /// is left, which a task of its own goes on with.
    pub(crate) fn write(&self, dirty: Vec<Rc<Socket>>, loans: Loans) -> bool {
        let is_behind = !self.0.borrow().is_empty();
        let mut sockets = dirty.into_iter();
        // What is more than one slice goes in one line with what waits: it may have more to write by then.
        if !is_behind || sockets.as_slice().iter().map(|socket| weight(socket)).sum::<usize>() <= SLICE {
            write_slice(&mut sockets, SLICE);
        }
        // A socket of this delivery may be among those that wait.
        if !is_behind && sockets.len() == 0 {
            return false;
        }
        self.0.borrow_mut().push_back(Rest { sockets, _loans: loans });
        if !is_behind {
            spawn_local(write_all(Rc::clone(&self.0)));
        }
        true
    }
}

/// Writes what waits, slice by slice.
async fn write_all(waiting: Rc<RefCell<VecDeque<Rest>>>) {
    loop {
        yield_now().await;
        let (mut waiting, mut left) = (waiting.borrow_mut(), SLICE);
        while left > 0
            && let Some(first) = waiting.front_mut()
        {
            left = write_slice(&mut first.sockets, left);
            if first.sockets.len() == 0 {
                waiting.pop_front();
            }
        }
        if waiting.is_empty() {
            return;
        }
    }
}

/// Writes to sockets until so much is written. Returns what is left of that.
fn write_slice(sockets: &mut vec::IntoIter<Rc<Socket>>, mut left: usize) -> usize {
    while left > 0
        && let Some(socket) = sockets.next()
    {
        left = left.saturating_sub(weight(&socket));
        socket.write_delivered();
    }
    left
}

/// What it takes to write what waits on a socket.
fn weight(socket: &Socket) -> usize {
    socket.writable_bytes().map_or(0, |bytes| WRITE + usize::try_from(bytes).unwrap_or(SLICE))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::net::{TcpListener, TcpStream as Peer};
    use std::sync::Arc;

    use bytes::Bytes;
    use tokio::net::TcpStream;
    use tokio::task::LocalSet;
    use tokio::time::Instant;

    use super::*;
    use crate::client;
    use crate::credit::Credit;
    use crate::joined_frames::JoinedFrames;
    use crate::socket::SocketId;
    use crate::sockets::{Outgoing, Sent, Sockets};
    use crate::wire::Wire;

    /// So many sockets with a large frame are one slice.
    const IN_A_SLICE: usize = 4;
    const LARGE: usize = SLICE / IN_A_SLICE - WRITE;

    /// Sockets with their peers, and a credit of which any loan is all.
    struct Crowd {
        sockets: Sockets,
        all: Vec<(Rc<Socket>, Rc<Wire>)>,
        peers: Vec<Peer>,
        credit: Arc<Credit>,
    }

    impl Crowd {
        async fn of(count: usize) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let (sockets, mut all, mut peers) = (Sockets::default(), Vec::new(), Vec::new());
            for _ in 0..count {
                peers.push(Peer::connect(listener.local_addr().unwrap()).unwrap());
                let (accepted, _) = listener.accept().unwrap();
                accepted.set_nonblocking(true).unwrap();
                let wire = Rc::new(Wire::plain(TcpStream::from_std(accepted).unwrap()));
                wire.writable().await.unwrap();
                let socket = sockets.open();
                socket.attach(Rc::clone(&wire));
                all.push((socket, wire));
            }
            Self { sockets, all, peers, credit: Credit::of(1) }
        }

        fn ids(&self, range: std::ops::Range<usize>) -> Vec<SocketId> {
            self.all[range].iter().map(|(socket, _)| socket.id).collect()
        }

        /// Returns whether something is left.
        fn deliver<const N: usize>(&self, outgoing: [Outgoing; N]) -> bool {
            self.sockets.deliver([Sent { outgoing: outgoing.into(), loan: self.credit.lend(1, 0) }])
        }

        /// How many have not been written to.
        fn unwritten(&self) -> usize {
            self.all
                .iter()
                .filter(|(socket, _)| socket.writable_bytes().is_some_and(|bytes| bytes > 0))
                .count()
        }
    }

    fn frames(byte: u8, length: usize) -> JoinedFrames {
        JoinedFrames::One(Bytes::from(vec![byte; length]))
    }

    #[tokio::test]
    async fn a_fan_out_to_very_many_leaves_others_their_turns() {
        LocalSet::new()
            .run_until(async {
                let crowd = Crowd::of(5 * IN_A_SLICE).await;
                assert!(crowd.deliver([Outgoing::Frames(crowd.ids(0..5 * IN_A_SLICE), frames(b'a', LARGE))]));
                let mut unwritten = vec![5 * IN_A_SLICE];
                while unwritten.last() != Some(&0) {
                    unwritten.push(crowd.unwritten());
                    assert_eq!(crowd.credit.is_left(), crowd.unwritten() == 0);
                    yield_now().await;
                }
                unwritten.dedup();
                assert_eq!(unwritten, [20, 16, 12, 8, 4, 0]);
            })
            .await;
    }

    #[tokio::test]
    async fn a_fan_out_to_a_hundred_is_written_at_once() {
        LocalSet::new()
            .run_until(async {
                let crowd = Crowd::of(100).await;
                assert!(!crowd.deliver([Outgoing::Frames(crowd.ids(0..100), frames(b'a', 4_000))]));
                assert_eq!(crowd.unwritten(), 0);
                assert!(crowd.credit.is_left());
            })
            .await;
    }

    #[tokio::test]
    async fn what_comes_meanwhile_keeps_each_sockets_order() {
        LocalSet::new()
            .run_until(async {
                let mut crowd = Crowd::of(IN_A_SLICE + 2).await;
                let [last, other] = [IN_A_SLICE, IN_A_SLICE + 1];
                let large = Outgoing::Frames(crowd.ids(0..last), frames(b'a', LARGE));
                let [to_last, to_other] = [crowd.ids(last..other), crowd.ids(other..other + 1)];
                assert!(crowd.deliver([large, Outgoing::Frames(to_last.clone(), frames(b'b', 9))]));
                // Of those that wait one is given more; another one waits for none of them.
                let both = [to_last, to_other].concat();
                assert!(crowd.deliver([Outgoing::Frames(both, frames(b'c', 3))]));
                assert_eq!(crowd.unwritten(), 1);
                while crowd.unwritten() > 0 {
                    assert!(!crowd.credit.is_left());
                    yield_now().await;
                }
                assert!(crowd.credit.is_left());
                crowd.all.iter().for_each(|(_, wire)| wire.shut_down());
                let [mut to_last, mut to_other] = [String::new(), String::new()];
                crowd.peers[last].read_to_string(&mut to_last).unwrap();
                crowd.peers[other].read_to_string(&mut to_other).unwrap();
                assert_eq!([&*to_last, &*to_other], ["bbbbbbbbbccc", "ccc"]);
            })
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_socket_that_ends_does_not_wait_for_its_turn() {
        LocalSet::new()
            .run_until(async {
                let crowd = Crowd::of(IN_A_SLICE + 1).await;
                let (socket, wire) = &crowd.all[IN_A_SLICE];
                let large = Outgoing::Frames(crowd.ids(0..IN_A_SLICE), frames(b'a', LARGE));
                assert!(crowd.deliver([large, Outgoing::Frame(socket.id, frames(b'b', 9))]));
                assert!(crowd.deliver([Outgoing::Close(socket.id, Bytes::from_static(b"close"))]));
                let mut peer = &crowd.peers[IN_A_SLICE];
                peer.shutdown(std::net::Shutdown::Write).unwrap();
                let began = Instant::now();
                client::close(Rc::clone(socket), Rc::clone(wire)).await;
                assert!(began.elapsed().is_zero());
                let mut text = String::new();
                peer.read_to_string(&mut text).unwrap();
                assert_eq!(text, "bbbbbbbbbclose");
            })
            .await;
    }
}
