//! A client's socket between the offer to a shard and the end of its request's upgrade.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use webpubsub_protocol::close::{CloseCause, fit_reason};

use crate::open_files::Opened;
use crate::shard_message::Link;
use crate::socket::Socket;
use crate::sockets::{SocketAddress, Sockets};
use crate::thread::Thread;
use crate::timed::Timed;
use crate::wire::Wire;
use crate::{client, frames};

/// A socket that has no transport yet. If it is dropped, it is gone, and its shard is given its end.
pub(crate) struct OfferedSocket {
    registered: RegisteredSocket,
    /// `None` until a shard has accepted it.
    link: Option<Link>,
    /// What its client speaks, as `Sec-WebSocket-Protocol` answers it.
    subprotocol: Option<String>,
}

/// A socket among those of its thread, as long as this is not dropped.
struct RegisteredSocket {
    thread: Rc<Thread>,
    socket: Rc<Socket>,
    _open: Opened,
}

impl OfferedSocket {
    /// Makes a socket.
    pub(crate) fn open(thread: &Rc<Thread>) -> Self {
        let registered = RegisteredSocket {
            thread: Rc::clone(thread),
            socket: thread.sockets.open(),
            _open: thread.open.connection(),
        };
        Self { registered, link: None, subprotocol: None }
    }

    pub(crate) fn address(&self) -> SocketAddress {
        SocketAddress { thread: self.registered.thread.number, id: self.registered.socket.id }
    }

    pub(crate) fn unread(&self) -> Arc<AtomicU64> {
        self.registered.socket.shared_unread()
    }

    /// A shard has accepted it.
    pub(crate) fn accepted(mut self, link: Link, subprotocol: Option<String>) -> Self {
        (self.link, self.subprotocol) = (Some(link), subprotocol);
        self
    }

    /// What its client speaks.
    pub(crate) fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Has it served once its request's upgrade is done, by a task that needs no memory for the upgrade.
    pub(crate) async fn serve(self, upgrade: hyper::upgrade::OnUpgrade) {
        let Ok(upgraded) = upgrade.await else { return };
        let Some((wire, first)) = wire(upgraded) else { return };
        let Self { registered, link: Some(link), .. } = self else { return };
        let (socket, wire) = (Rc::clone(&registered.socket), Rc::new(wire));
        socket.attach(Rc::clone(&wire));
        tokio::task::spawn_local(client::serve(
            socket,
            wire,
            &first,
            link,
            &registered.thread.long_messages.clone(),
            registered,
        ));
    }
}

impl Drop for RegisteredSocket {
    fn drop(&mut self) {
        self.thread.sockets.remove(self.socket.id);
    }
}

/// What is under an upgraded connection, and what was read of it already.
pub(crate) fn wire(upgraded: hyper::upgrade::Upgraded) -> Option<(Wire, bytes::Bytes)> {
    match upgraded.downcast::<TokioIo<Timed<TcpStream>>>() {
        Ok(parts) => Some((Wire::plain(parts.io.into_inner().into_inner()), parts.read_buf)),
        Err(upgraded) => {
            let parts = upgraded.downcast::<TokioIo<Timed<TlsStream<TcpStream>>>>().ok()?;
            let (tcp, connection) = parts.io.into_inner().into_inner().into_inner();
            Some((Wire::secure(tcp, connection), parts.read_buf))
        }
    }
}

/// Accepts a socket that no connection is to have, and closes it. It is counted until it is gone.
pub(crate) async fn refuse(_open: Opened, upgrade: hyper::upgrade::OnUpgrade, cause: CloseCause) {
    let Ok(upgraded) = upgrade.await else { return };
    let Some((wire, _)) = wire(upgraded) else { return };
    let sockets = Sockets::default();
    let socket = sockets.open();
    let wire = Rc::new(wire);
    socket.attach(Rc::clone(&wire));
    socket.put(frames::close(cause.code().0, fit_reason(cause.reason())));
    client::close(socket, wire).await;
}
