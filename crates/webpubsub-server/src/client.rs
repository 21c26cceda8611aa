//! The task of one client's socket: it reads until the end, and sees to it that the end is a proper one.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;
use webpubsub_protocol::client::{Frame, json};
use webpubsub_protocol::close::{CloseCause, CloseCode, fit_reason};

use crate::credit::Credit;
use crate::frames;
use crate::long_messages::{Change, LongMessage, LongMessages};
use crate::message_timer::MessageTimer;
use crate::reading::{Broken, Reading, Received};
use crate::shard_message::Link;
use crate::socket::{Socket, Stage};
use crate::wire::Wire;

/// What one read takes at most.
const READ_BYTES: usize = 64 << 10;
/// From this many bytes of answers to pings on that wait to be written, nothing more is read of a socket.
const MAX_OWED: usize = 16 << 10;
/// How much of what a client has sent may be on its way to its shard before nothing more is read of its socket.
const MAX_SENT_BYTES: usize = 64 << 10;
/// How long a peer may take to read what it was sent last.
const LAST_WRITE: Duration = Duration::from_secs(5);
/// How long a peer may take to answer a close frame.
const CLOSE_ANSWER: Duration = Duration::from_secs(5);
/// How long a shard may take to answer a close frame, which it does in its turn.
const SHARD_ANSWER: Duration = Duration::from_secs(60);

thread_local! {
    /// Where every socket of a thread is read to, one after the other.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// How the reading of a socket ended.
enum End {
    /// The client has closed it.
    Closed(CloseCode, String),
    /// The transport is gone.
    Lost,
    /// What came was no WebSocket traffic, or did not come in time.
    Broken(Broken),
    /// The service has closed it, or given it up.
    ByService,
}

/// One read of a socket.
enum Read {
    /// Some bytes, after which it goes on.
    Some,
    /// Nothing is there yet.
    Nothing,
    /// The end.
    End(End),
}

/// Serves a socket until it is gone. `first` was read already; `long` are the long messages of all sockets; `registered` is
/// dropped at the end.
///
/// An open socket has this future all the time, so it has no room for what is needed at the start or the end alone.
pub(crate) fn serve<P>(
    socket: Rc<Socket>,
    wire: Rc<Wire>,
    first: &[u8],
    link: Link,
    long: &LongMessages,
    registered: P,
) -> impl Future<Output = ()> + use<P> {
    let open = Ending { socket, wire, reading: Reading::new() };
    let (credit, timer) = (Credit::of(MAX_SENT_BYTES), MessageTimer::default());
    let mut client = Client { link, credit, owed: 0, timer, long: long.message(), open };
    let ended = client.take(first).end().map(Box::new);
    async move {
        let end = match ended {
            Some(end) => *end,
            None => client.read().await,
        };
        Box::pin(client.end(end)).await;
        drop(registered);
    }
}

/// Writes what was put on a socket that no shard has, a close frame at last, and ends it.
pub(crate) async fn close(socket: Rc<Socket>, wire: Rc<Wire>) {
    let mut ending = Ending { socket, wire, reading: Reading::new() };
    ending.write_rest().await;
    ending.drain(true).await;
    ending.wire.shut_down();
}

impl Read {
    fn end(self) -> Option<End> {
        match self {
            Self::End(end) => Some(end),
            Self::Some | Self::Nothing => None,
        }
    }
}

struct Client {
    link: Link,
    credit: Arc<Credit>,
    /// How many bytes of answers to pings were put on the socket since everything on it was written.
    owed: usize,
    timer: MessageTimer,
    long: LongMessage,
    open: Ending,
}

/// A socket, and how it is ended.
struct Ending {
    socket: Rc<Socket>,
    wire: Rc<Wire>,
    reading: Reading,
}

impl Client {
    async fn read(&mut self) -> End {
        // TLS may have more of what came with the request, for which the transport is not readable again.
        if let Read::End(end) = self.read_once() {
            return end;
        }
        let socket = Rc::clone(&self.open.socket);
        // One wait for a change outlasts many reads.
        let mut changed = pin!(socket.changed.notified());
        loop {
            if socket.stage() != Stage::Open {
                return End::ByService;
            }
            if self.owed > MAX_OWED && socket.is_written() {
                self.owed = 0;
            }
            let has_room = self.long.may_go_on();
            let has_changed = tokio::select! {
                biased;
                change = self.long.changed(has_room) => match change {
                    Change::GivenUp => return End::Broken(CloseCause::MessageTooSlow.into()),
                    Change::Room => {
                        self.timer.restart();
                        continue;
                    }
                },
                () = self.timer.over(), if has_room && self.credit.is_left() => {
                    return End::Broken(CloseCause::MessageTooSlow.into());
                }
                readable = self.open.wire.readable(),
                    if has_room && self.credit.is_left() && self.owed <= MAX_OWED =>
                {
                    if readable.is_err() {
                        return End::Lost;
                    }
                    false
                }
                () = self.credit.returned(), if !self.credit.is_left() => {
                    self.timer.restart();
                    continue;
                }
                // Who sends pings and reads no answer is not read, either.
                () = changed.as_mut() => true,
            };
            if has_changed {
                changed.set(socket.changed.notified());
            } else if let Read::End(end) = self.read_once() {
                return end;
            }
        }
    }

    fn read_once(&mut self) -> Read {
        BUFFER.with_borrow_mut(|buffer| match self.open.wire.try_read(buffer) {
            Ok(0) => Read::End(End::Lost),
            Ok(length) => self.take(buffer.get(..length).unwrap_or_default()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                Read::Nothing
            }
            Err(_) => Read::End(End::Lost),
        })
    }

    /// Takes bytes that have come, and sends what they complete to the shard.
    fn take(&mut self, bytes: &[u8]) -> Read {
        let (mut received, mut answers) = (Vec::new(), Vec::new());
        let taken = self.open.reading.take(bytes, &mut received, &mut answers);
        let (mut messages, mut closed) = (Vec::with_capacity(received.len()), None);
        for received in received {
            match received {
                // An idle client's keep-alive is answered here, and wakes no shard.
                Received::Message(Frame::Text(text)) if text == json::PING => {
                    answers.extend_from_slice(&frames::message(&Frame::Text(json::PONG.to_owned())));
                }
                Received::Message(frame) => messages.push(frame),
                Received::Close(code, reason) => closed = Some(End::Closed(code, reason)),
            }
        }
        let unfinished = self.open.reading.unfinished();
        self.timer.look(unfinished);
        self.long.look(unfinished, self.open.reading.held());
        self.send(messages);
        if !answers.is_empty() {
            self.answer(answers.into());
        }
        if let Some(end) = closed {
            return Read::End(end);
        }
        match taken {
            Ok(()) => Read::Some,
            Err(broken) => Read::End(End::Broken(broken)),
        }
    }

    /// Answers pings.
    fn answer(&mut self, frame: Bytes) {
        let length = frame.len();
        self.open.socket.put(frame);
        self.owed = if self.open.socket.is_written() { 0 } else { self.owed + length };
    }

    fn send(&self, messages: Vec<Frame>) {
        if messages.is_empty() {
            return;
        }
        let bytes = messages.iter().map(Frame::len).sum();
        let loan = self.credit.lend(messages.len(), bytes);
        self.link.messages(messages, loan);
    }

    /// Ends the socket.
    async fn end(&mut self, end: End) {
        if !matches!(end, End::ByService) {
            // What has come of a message is not kept until the peer has read the last of its frames.
            self.open.reading = Reading::new();
            self.long.look(None, 0);
        }
        match end {
            End::Lost => self.link.closed(CloseCode::ABNORMAL, String::new()),
            End::Closed(code, reason) => {
                let answer = frames::close(code.echo().0, fit_reason(&reason));
                self.link.closed(code, reason);
                // The client may yet be answered what it sent before.
                let _ = timeout(SHARD_ANSWER, self.open.until(|socket| socket.stage() != Stage::Open)).await;
                if self.open.socket.stage() == Stage::Forgotten {
                    self.open.socket.put_last(answer);
                }
                self.open.write_rest().await;
                self.open.wire.shut_down();
            }
            End::Broken(Broken { code, cause }) => {
                self.link.broken(cause);
                self.open.socket.put_last(frames::close(code, cause.map_or("", CloseCause::reason)));
                self.open.write_rest().await;
                self.open.wire.shut_down();
                self.open.drain(false).await;
            }
            End::ByService => {
                if self.open.socket.stage() == Stage::Closing {
                    self.open.write_rest().await;
                    self.open.drain(true).await;
                    self.open.wire.shut_down();
                }
            }
        }
    }
}

impl Ending {
    /// Waits until what was put on the socket is written.
    async fn write_rest(&self) {
        // Of what shards have put on it, too, which may be about to be written.
        self.socket.flush();
        let _ = timeout(LAST_WRITE, self.until(Socket::is_written)).await;
    }

    async fn until(&self, holds: impl Fn(&Socket) -> bool) {
        while !holds(&self.socket) {
            self.socket.changed.notified().await;
        }
    }

    /// Reads on until the end, or until a close frame where the client may be expected to send one: a transport
    /// that is closed with something unread may lose what was written last.
    async fn drain(&mut self, until_closed: bool) {
        let _ = timeout(CLOSE_ANSWER, async {
            while self.wire.readable().await.is_ok() && !self.drain_once(until_closed) {}
        })
        .await;
    }

    /// Reads something and drops it. Returns whether that was the last.
    fn drain_once(&mut self, until_closed: bool) -> bool {
        BUFFER.with_borrow_mut(|buffer| match self.wire.try_read(buffer) {
            Ok(0) => true,
            Ok(length) if until_closed => {
                let (mut received, mut answers) = (Vec::new(), Vec::new());
                let bytes = buffer.get(..length).unwrap_or_default();
                let taken = self.reading.take(bytes, &mut received, &mut answers);
                taken.is_err() || matches!(received.last(), Some(Received::Close(..)))
            }
            Ok(_) => false,
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream as Peer};

    use tokio::net::TcpStream;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
    use tokio::task::{LocalSet, spawn_local};
    use tokio::time::{Instant, sleep};
    use webpubsub_service::Holder;
    use webpubsub_shard::Slot;

    use super::*;
    use crate::message_timer::MESSAGE_TIME;
    use crate::shard_message::{Seat, ShardMessage};
    use crate::sockets::Sockets;

    /// A client whose socket is served, and what its shard is given.
    fn client() -> (Peer, impl Future<Output = ()>, UnboundedReceiver<ShardMessage>) {
        client_among(&LongMessages::default())
    }

    /// One of those that have these long messages.
    fn client_among(
        long: &LongMessages,
    ) -> (Peer, impl Future<Output = ()> + use<>, UnboundedReceiver<ShardMessage>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = Peer::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        accepted.set_nonblocking(true).unwrap();
        let wire = Rc::new(Wire::plain(TcpStream::from_std(accepted).unwrap()));
        let socket = Sockets::default().open();
        socket.attach(Rc::clone(&wire));
        let (shard, inbox) = unbounded_channel();
        let link = Link::new(shard, Seat { holder: Holder::Client(Slot(0)), number: 1 });
        (peer, serve(socket, wire, &[], link, long, ()), inbox)
    }

    /// The first fragment of a message, and a last one of so many bytes without a mask to speak of.
    fn fragments(length: u8) -> [Vec<u8>; 2] {
        let fragment = |first, byte, length: u8| {
            [&[first, 0x80 | length, 0, 0, 0, 0][..], &vec![byte; usize::from(length)]].concat()
        };
        [fragment(0x01, b'a', 1), fragment(0x80, b'b', length)]
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_that_never_ends_ends_its_socket() {
        let [first, last] = fragments(100);
        // Silence, and a byte now and then.
        for pause in [10 * MESSAGE_TIME, MESSAGE_TIME / 10] {
            let (mut peer, served, mut inbox) = client();
            let mut writing = peer.try_clone().unwrap();
            let bytes = [first.clone(), last.clone()].concat();
            let began = Instant::now();
            LocalSet::new()
                .run_until(async {
                    spawn_local(async move {
                        for byte in bytes {
                            let _ = writing.write_all(&[byte]);
                            sleep(pause).await;
                        }
                    });
                    timeout(2 * MESSAGE_TIME, served).await.unwrap();
                })
                .await;
            assert!((MESSAGE_TIME..MESSAGE_TIME + 2 * CLOSE_ANSWER).contains(&began.elapsed()));
            assert!(matches!(
                inbox.try_recv(),
                Ok(ShardMessage::Broken(_, Some(CloseCause::MessageTooSlow)))
            ));
            let mut answer = Vec::new();
            peer.read_to_end(&mut answer).unwrap();
            assert_eq!(answer, frames::close(1008, CloseCause::MessageTooSlow.reason()));
        }
    }

    /// The first fragment of a message of 100,000 bytes, and its last one.
    fn long_fragments() -> [Vec<u8>; 2] {
        [0x02, 0x80].map(|first| {
            let head = [first, 0xFF, 0, 0, 0, 0, 0, 0, 0xC3, 0x50, 0, 0, 0, 0];
            [&head[..], &[b'a'; 50_000]].concat()
        })
    }

    /// So many long messages that there is no room for more.
    fn fill(all: &LongMessages) -> Vec<LongMessage> {
        let mut messages: Vec<_> = (0..40).map(|_| all.message()).collect();
        messages.iter_mut().for_each(|message| message.look(Some(1), 2 << 20));
        messages
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_message_waits_for_room_and_comes_whole() {
        let all = LongMessages::default();
        let others = fill(&all);
        let (mut peer, served, mut inbox) = client_among(&all);
        let [first, last] = long_fragments();
        LocalSet::new()
            .run_until(async {
                spawn_local(served);
                peer.write_all(&first).unwrap();
                let began = Instant::now();
                spawn_local(async move {
                    sleep(MESSAGE_TIME / 100).await;
                    // From here on it is not among the last, and finds that with what it reads next.
                    let later = fill(&all);
                    for part in [&last[..100], &last[100..]] {
                        peer.write_all(part).unwrap();
                        sleep(MESSAGE_TIME / 100).await;
                    }
                    drop((peer, others, later));
                });
                let Some(ShardMessage::Frames { mut messages, .. }) = inbox.recv().await else {
                    panic!("no message")
                };
                assert_eq!(messages.next().map(|frame| frame.len()), Some(100_000));
                assert!(began.elapsed() >= 3 * MESSAGE_TIME / 100);
            })
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_keeps_others_waiting_with_a_long_message_is_closed() {
        let all = LongMessages::default();
        let (mut peer, served, mut inbox) = client_among(&all);
        let [first, _] = long_fragments();
        LocalSet::new()
            .run_until(async {
                let serving = spawn_local(served);
                peer.write_all(&first).unwrap();
                // It has room for as long as it likes, until others have none.
                sleep(MESSAGE_TIME / 2).await;
                assert!(!serving.is_finished());
                let others = fill(&all);
                assert!(!others[19].may_go_on(), "its room is not enough for all");
                timeout(2 * CLOSE_ANSWER, serving).await.unwrap().unwrap();
            })
            .await;
        assert!(matches!(inbox.try_recv(), Ok(ShardMessage::Broken(_, Some(CloseCause::MessageTooSlow)))));
        let mut answer = Vec::new();
        peer.read_to_end(&mut answer).unwrap();
        assert_eq!(answer, frames::close(1008, CloseCause::MessageTooSlow.reason()));
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_slow_sends_messages_and_may_be_idle() {
        let (mut peer, served, mut inbox) = client();
        let [first, last] = fragments(7);
        LocalSet::new()
            .run_until(async {
                let serving = spawn_local(served);
                // A message's end comes with the beginning of the next one.
                let bytes = [last, first.clone()].concat();
                peer.write_all(&first).unwrap();
                for _ in 0..9 {
                    for part in bytes.chunks(5) {
                        sleep(MESSAGE_TIME / 5).await;
                        peer.write_all(part).unwrap();
                    }
                }
                sleep(MESSAGE_TIME / 5).await;
                peer.write_all(&fragments(0)[1]).unwrap();
                sleep(10 * MESSAGE_TIME).await;
                assert!(!serving.is_finished());
                let messages = std::iter::from_fn(|| match inbox.try_recv() {
                    Ok(ShardMessage::Frames { messages, .. }) => Some(messages),
                    _ => None,
                });
                let mut expected = vec![Frame::Text("abbbbbbb".into()); 9];
                expected.push(Frame::Text("a".into()));
                assert_eq!(messages.flatten().collect::<Vec<_>>(), expected);
                drop(peer);
                serving.await.unwrap();
            })
            .await;
    }
}
