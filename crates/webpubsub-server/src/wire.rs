//! The transport under a WebSocket: TCP, or TLS over it. Nothing here waits but for readiness.

use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind, Read as _, Write as _};

use rustls::ServerConnection;
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::task::yield_now;

/// How many bytes of TLS may wait for the network before it takes no more.
const MAX_TLS_BYTES: usize = 64 << 10;
/// From this many bytes on that were read without a wait, the other tasks of the thread have their turns. The runtime
/// does not see to that for who asks whether something is readable.
const TURN_BYTES: usize = 64 << 10;
/// What a read of TLS counts at least: it may have taken as much of the network for a byte.
const TLS_READ_BYTES: usize = 4 << 10;

/// An open transport.
pub(crate) struct Wire {
    tcp: TcpStream,
    tls: Option<Box<RefCell<ServerConnection>>>,
    /// How many bytes were read since nothing more was there.
    read: Cell<usize>,
}

impl Wire {
    /// A transport without TLS.
    pub(crate) const fn plain(tcp: TcpStream) -> Self {
        Self { tcp, tls: None, read: Cell::new(0) }
    }

    /// A transport with TLS, whose handshake is over.
    pub(crate) fn secure(tcp: TcpStream, mut connection: ServerConnection) -> Self {
        connection.set_buffer_limit(Some(MAX_TLS_BYTES));
        Self { tcp, tls: Some(Box::new(RefCell::new(connection))), read: Cell::new(0) }
    }

    /// Waits until something may be there to read, and until others have had their turns after a peer that sends
    /// without end.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        if self.read.get() >= TURN_BYTES {
            self.read.set(0);
            yield_now().await;
        }
        self.tcp.readable().await
    }

    /// Waits until something may be written.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        self.tcp.writable().await
    }

    /// Reads what is there; 0 for the end.
    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &self.tls else { return self.try_read_tcp(buffer) };
        let read = self.try_read_tls(&mut tls.borrow_mut(), buffer);
        self.count(read.as_ref().ok().map(|bytes| TLS_READ_BYTES.max(*bytes)));
        read
    }

    /// Takes note of how many bytes were read, or that nothing more is there.
    fn count(&self, read: Option<usize>) {
        self.read.set(read.map_or(0, |bytes| self.read.get() + bytes));
    }

    fn try_read_tls(&self, tls: &mut ServerConnection, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match tls.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // A client that ends TCP without ending TLS has ended all the same.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                read => return read,
            }
            if tls.read_tls(&mut Tcp(&self.tcp))? == 0 {
                return Ok(0);
            }
            tls.process_new_packets().map_err(io::Error::other)?;
        }
    }

    /// Reads what is there, without TLS. Less than there was room for was all, so that nothing more is there to read until
    /// the system says so again: it is not asked once more only to say that.
    fn try_read_tcp(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut length = None;
        let room = buffer.len();
        let read = self.tcp.try_io(Interest::READABLE, || {
            let taken = (&*SockRef::from(&self.tcp)).read(buffer)?;
            length = Some(taken);
            if 0 < taken && taken < room { Err(ErrorKind::WouldBlock.into()) } else { Ok(taken) }
        });
        self.count(length.filter(|taken| *taken == room));
        length.map_or(read, Ok)
    }

    /// Writes as much as the transport takes. Returns how much of `bytes` it has taken.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &self.tls else { return self.tcp.try_write(bytes) };
        let mut tls = tls.borrow_mut();
        let taken = tls.writer().write(bytes)?;
        while tls.wants_write() {
            match tls.write_tls(&mut Tcp(&self.tcp)) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock && taken > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(taken)
    }

    /// Whether everything that was taken is with the system.
    pub(crate) fn is_flushed(&self) -> bool {
        self.tls.as_ref().is_none_or(|tls| !tls.borrow().wants_write())
    }

    /// Says that nothing more is written.
    pub(crate) fn shut_down(&self) {
        if let Some(tls) = &self.tls {
            let mut tls = tls.borrow_mut();
            tls.send_close_notify();
            // As below, and a socket that takes no more leaves the peer without this alert only.
            let _ = tls.write_tls(&mut Tcp(&self.tcp));
        }
        // A peer that has gone has nothing to learn.
        let _ = SockRef::from(&self.tcp).shutdown(std::net::Shutdown::Write);
    }
}

/// TCP as `rustls` reads and writes it.
struct Tcp<'a>(&'a TcpStream);

impl io::Read for Tcp<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl io::Write for Tcp<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.try_write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream as Peer};
    use std::rc::Rc;
    use std::thread;

    use tokio::task::{LocalSet, spawn_local};

    use super::*;

    const ALL: usize = 8 << 20;
    /// A part of what is always there.
    const PART: usize = 1 << 10;

    #[tokio::test]
    async fn who_sends_without_end_leaves_others_their_turns() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = Peer::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        accepted.set_nonblocking(true).unwrap();
        let sending = thread::spawn(move || peer.write_all(&vec![0; ALL]).unwrap());
        let reading = async {
            let (wire, turns) = (Wire::plain(TcpStream::from_std(accepted).unwrap()), Rc::new(Cell::new(0)));
            let others = Rc::clone(&turns);
            spawn_local(async move {
                loop {
                    others.update(|turns| turns + 1);
                    yield_now().await;
                }
            });
            let (mut read, mut buffer) = (0, [0; PART]);
            while read < ALL {
                wire.readable().await.unwrap();
                match wire.try_read(&mut buffer) {
                    Ok(bytes) => read += bytes,
                    Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
                }
            }
            turns.get()
        };
        let turns = LocalSet::new().run_until(reading).await;
        sending.join().unwrap();
        assert!(turns >= ALL / (TURN_BYTES + PART) - 1, "{turns} turns");
    }
}
