//! The transport under HTTP. A peer that takes nothing of its answers for a while loses its connection: it would
//! have it for ever. One that takes everything at once is given a part of it, and then others have their turns: a system
//! takes some megabytes at a time, and a client may have asked for very much.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf, Take};
use tokio::time::{Sleep, sleep};

use crate::long_heads::Head;
use crate::refused_head;

/// How long a peer may take nothing of what is written to it.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many bytes are read and written of one connection before the others of its thread have their turns.
const TURN_BYTES: usize = 32 << 10;

/// How many bytes are read at once. The reader begins with a buffer of one byte more. When that is filled it makes a
/// larger one, and keeps it as long as the connection.
const READ_BYTES: u64 = (8 << 10) - 1;

thread_local! {
    /// Where the head and the body of an answer are put together: the system takes a piece for less than a list.
    static JOINED: RefCell<Vec<u8>> = RefCell::new(Vec::with_capacity(TURN_BYTES));
}

/// A transport whose peer has to read.
pub(crate) struct Timed<S> {
    transport: Take<S>,
    /// How many bytes this turn may still read and write; what one turn has left is the next one's.
    left: usize,
    /// The end of the patience, while something waits to be written.
    end: Option<Pin<Box<Sleep>>>,
    /// What of it is a request's head.
    head: Arc<Head>,
    /// What is left of the answer to a head that cannot be read, which has its words from here.
    refusal: Option<Bytes>,
}

impl<S: AsyncRead + Unpin> Timed<S> {
    pub(crate) fn new(transport: S, head: Arc<Head>) -> Self {
        Self { transport: transport.take(READ_BYTES), left: TURN_BYTES, end: None, head, refusal: None }
    }

    pub(crate) fn into_inner(self) -> S {
        self.transport.into_inner()
    }

    /// Waits for the other connections, if this one has had its turn.
    fn turn(&mut self, context: &Context<'_>) -> Poll<()> {
        if self.left > 0 {
            return Poll::Ready(());
        }
        self.left = TURN_BYTES;
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Writes the answer to a head that cannot be read, in the place of so many bytes.
    fn poll_refuse(&mut self, context: &mut Context<'_>, instead_of: usize) -> Poll<io::Result<usize>>
    where
        S: AsyncWrite,
    {
        while let Some(refusal) = self.refusal.as_ref().filter(|refusal| !refusal.is_empty()) {
            let attempt = Pin::new(self.transport.get_mut()).poll_write(context, refusal);
            let written = ready!(self.within(context, attempt))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            if let Some(refusal) = &mut self.refusal {
                refusal.advance(written);
            }
        }
        Poll::Ready(Ok(instead_of))
    }

    /// Returns what an attempt to write comes to, or that it has taken too long.
    fn within<T>(&mut self, context: &mut Context<'_>, attempt: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if attempt.is_ready() {
            self.end = None;
            return attempt;
        }
        ready!(self.end.get_or_insert_with(|| Box::pin(sleep(PATIENCE))).as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.turn(context));
        let before = buffer.filled().len();
        self.transport.set_limit(READ_BYTES);
        let read = Pin::new(&mut self.transport).poll_read(context, buffer);
        let bytes = buffer.filled().len() - before;
        self.left = self.left.saturating_sub(bytes);
        if self.head.take(bytes) { read } else { Poll::Ready(Err(io::ErrorKind::QuotaExceeded.into())) }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.turn(context));
        // No answer is written while a head is read but the one to that.
        if self.refusal.is_none() && self.head.has_begun() {
            self.refusal = refused_head::with_words(bytes);
        }
        if self.refusal.is_some() {
            return self.poll_refuse(context, bytes.len());
        }
        let part = bytes.get(..TURN_BYTES).unwrap_or(bytes);
        let attempt = Pin::new(self.transport.get_mut()).poll_write(context, part);
        if let Poll::Ready(Ok(written)) = attempt {
            self.left = self.left.saturating_sub(written);
        }
        self.within(context, attempt)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let [first, _, ..] = slices else {
            return self.poll_write(context, slices.first().map_or(&[][..], |only| &**only));
        };
        if first.len() >= TURN_BYTES {
            return self.poll_write(context, first);
        }
        JOINED.with_borrow_mut(|joined| {
            joined.clear();
            for slice in slices {
                let room = TURN_BYTES.saturating_sub(joined.len());
                joined.extend_from_slice(slice.get(..room).unwrap_or(slice));
            }
            self.poll_write(context, joined)
        })
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let attempt = Pin::new(self.transport.get_mut()).poll_flush(context);
        self.within(context, attempt)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let attempt = Pin::new(self.transport.get_mut()).poll_shutdown(context);
        self.within(context, attempt)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    use tokio::time::{Instant, advance};

    use super::*;
    use crate::long_heads::LongHeads;

    fn timed(peer: Taking) -> Timed<Taking> {
        Timed::new(peer, LongHeads::default().head())
    }

    /// A peer that takes so many bytes in all.
    struct Taking(usize);

    impl AsyncWrite for Taking {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            if taken == 0 { Poll::Pending } else { Poll::Ready(Ok(taken)) }
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncRead for Taking {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            buffer.put_slice(&vec![b'r'; buffer.remaining()]);
            Poll::Ready(Ok(()))
        }
    }

    async fn write(stream: &mut Timed<Taking>) -> io::Result<usize> {
        poll_fn(|context| Pin::new(&mut *stream).poll_write(context, b"answer")).await
    }

    /// How many bytes one poll has read and written of a peer that has and takes very much, until it was pending.
    fn bytes_of_a_turn(stream: &mut Timed<Taking>, context: &mut Context<'_>) -> usize {
        let (mut bytes, mut read, large) = (0, vec![0; 10_000], vec![b'a'; 1 << 20]);
        loop {
            let mut buffer = ReadBuf::new(&mut read);
            if Pin::new(&mut *stream).poll_read(context, &mut buffer).is_pending() {
                return bytes;
            }
            bytes += buffer.filled().len();
            match Pin::new(&mut *stream).poll_write(context, &large) {
                Poll::Ready(written) => bytes += written.unwrap(),
                Poll::Pending => return bytes,
            }
        }
    }

    #[test]
    fn a_peer_that_has_and_takes_much_leaves_others_their_turns() {
        let (counter, mut stream) = (Arc::new(Wakes::default()), timed(Taking(usize::MAX)));
        let waker = Waker::from(Arc::clone(&counter));
        for turns in 1..=5 {
            let bytes = bytes_of_a_turn(&mut stream, &mut Context::from_waker(&waker));
            assert!((TURN_BYTES..2 * TURN_BYTES).contains(&bytes), "{bytes} bytes");
            assert_eq!(counter.0.load(Ordering::Relaxed), turns, "it is polled again");
        }
    }

    #[test]
    fn a_head_and_the_start_of_its_body_are_one_piece() {
        let mut stream = timed(Taking(usize::MAX));
        let mut write = |slices: &[io::IoSlice<'_>]| {
            let mut context = Context::from_waker(Waker::noop());
            match Pin::new(&mut stream).poll_write_vectored(&mut context, slices) {
                Poll::Ready(written) => written.unwrap(),
                Poll::Pending => 0,
            }
        };
        let (head, body) = (io::IoSlice::new(b"head"), io::IoSlice::new(&[b'b'; 2 * TURN_BYTES]));
        assert_eq!(write(&[head]), 4);
        assert_eq!(write(&[head, io::IoSlice::new(b"body")]), 8);
        assert_eq!(write(&[head, body]), TURN_BYTES);
        // Others have had their turns.
        assert_eq!(write(&[body]), 0);
        assert_eq!(write(&[body, head]), TURN_BYTES);
    }

    #[tokio::test(start_paused = true)]
    async fn the_answer_to_a_head_has_its_words() {
        let answer = b"HTTP/1.1 414 URI Too Long\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let head = LongHeads::default().head();
        let mut stream = Timed::new(Taking(10), Arc::clone(&head));
        let mut context = Context::from_waker(Waker::noop());
        let mut write = |room| {
            stream.transport.get_mut().0 = room;
            let written = Pin::new(&mut stream).poll_write(&mut context, answer);
            (
                matches!(written, Poll::Ready(Ok(all)) if all == answer.len()),
                room - stream.transport.get_ref().0,
            )
        };
        // The answer of an application is its own.
        assert_eq!(write(1_000), (true, answer.len()));
        head.begin();
        // In pieces, as the peer takes it.
        assert_eq!(write(100), (false, 100));
        let (is_written, bytes) = write(1_000);
        assert!(is_written && 100 + bytes > 2 * answer.len(), "{bytes} bytes");
    }

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_for_a_minute_is_given_up() {
        let (mut stream, started) = (timed(Taking(3)), Instant::now());
        assert_eq!(write(&mut stream).await.unwrap(), 3);
        assert_eq!(write(&mut stream).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed(), PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_something_has_the_time_again() {
        let mut stream = timed(Taking(0));
        for _ in 0..5 {
            let waiting = tokio::time::timeout(PATIENCE / 2, write(&mut stream)).await;
            assert!(waiting.is_err());
            stream.transport.get_mut().0 = 1;
            assert_eq!(write(&mut stream).await.unwrap(), 1);
        }
        advance(10 * PATIENCE).await;
        stream.transport.get_mut().0 = 6;
        assert_eq!(write(&mut stream).await.unwrap(), 6);
    }
}
