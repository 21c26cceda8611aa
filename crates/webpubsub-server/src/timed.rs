//! The transport under HTTP. A peer that takes nothing of its answers for a while loses its connection: it would
//! have it for ever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long a peer may take nothing of what is written to it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A transport whose peer has to read.
pub(crate) struct Timed<S> {
    transport: S,
    /// The end of the patience, while something waits to be written.
    end: Option<Pin<Box<Sleep>>>,
}

impl<S> Timed<S> {
    pub(crate) const fn new(transport: S) -> Self {
        Self { transport, end: None }
    }

    pub(crate) fn into_inner(self) -> S {
        self.transport
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
        Pin::new(&mut self.transport).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let attempt = Pin::new(&mut self.transport).poll_write(context, bytes);
        self.within(context, attempt)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let attempt = Pin::new(&mut self.transport).poll_write_vectored(context, slices);
        self.within(context, attempt)
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let attempt = Pin::new(&mut self.transport).poll_flush(context);
        self.within(context, attempt)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let attempt = Pin::new(&mut self.transport).poll_shutdown(context);
        self.within(context, attempt)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::{Instant, advance};

    use super::*;

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

    async fn write(stream: &mut Timed<Taking>) -> io::Result<usize> {
        poll_fn(|context| Pin::new(&mut *stream).poll_write(context, b"answer")).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_for_a_minute_is_given_up() {
        let (mut stream, started) = (Timed::new(Taking(3)), Instant::now());
        assert_eq!(write(&mut stream).await.unwrap(), 3);
        assert_eq!(write(&mut stream).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed(), PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_something_has_the_time_again() {
        let mut stream = Timed::new(Taking(0));
        for _ in 0..5 {
            let waiting = tokio::time::timeout(PATIENCE / 2, write(&mut stream)).await;
            assert!(waiting.is_err());
            stream.transport.0 = 1;
            assert_eq!(write(&mut stream).await.unwrap(), 1);
        }
        advance(10 * PATIENCE).await;
        stream.transport.0 = 6;
        assert_eq!(write(&mut stream).await.unwrap(), 6);
    }
}
