//! Where the service listens: at addresses, or on sockets that a supervisor has opened for it, in the way of
//! systemd's socket activation.

use std::env;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};
use std::time::Duration;

use listenfd::ListenFd;
use socket2::{SockRef, TcpKeepalive};

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 4096;
/// How a peer is found to be gone that has sent nothing: within four minutes.
const KEEPALIVE: TcpKeepalive =
    TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(15));
/// How long a peer may acknowledge nothing of what it was sent, or take nothing of it: as long as one that is sent
/// nothing and does not answer. The system itself would try for a quarter of an hour, and keep what was sent so long.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(195);

/// The sockets that the program was started with.
#[derive(Debug, Default)]
pub(crate) struct Given {
    pub(crate) http: Option<TcpListener>,
    pub(crate) https: Option<TcpListener>,
}

impl Given {
    /// Takes them: by their names `http` and `https`, and where they have other names, the first for http and
    /// the second for https.
    ///
    /// # Errors
    /// There are more, or one is no listening TCP socket.
    pub(crate) fn take() -> io::Result<Self> {
        let mut sockets = ListenFd::from_env();
        let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':');
        let mut given = Self::default();
        for number in 0..sockets.len() {
            let listener = sockets.take_tcp_listener(number)?;
            let place = match names.next() {
                Some("http") => &mut given.http,
                Some("https") => &mut given.https,
                _ if given.http.is_none() => &mut given.http,
                _ => &mut given.https,
            };
            if place.is_some() {
                return Err(io::Error::other("there are two of a kind, or more than two"));
            }
            *place = listener;
        }
        for listener in [&given.http, &given.https].into_iter().flatten() {
            prepare(&SockRef::from(listener))?;
        }
        Ok(given)
    }
}

/// Listens at the first address of a host that can be had.
///
/// # Errors
/// The system's for the last one.
pub(crate) fn listen(host: &str, port: u16) -> io::Result<TcpListener> {
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in (host, port).to_socket_addrs()? {
        match bind(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, Some(socket2::Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    prepare(&SockRef::from(&socket))?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Sets what the connections that it accepts inherit, and that it does not wait for them.
fn prepare(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_keepalive(&KEEPALIVE)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    socket.set_nonblocking(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_peer_that_acknowledges_nothing_is_given_up() {
        let listener = listen("127.0.0.1", 0).unwrap();
        listener.set_nonblocking(false).unwrap();
        let _peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        assert_eq!(SockRef::from(&accepted).tcp_user_timeout().unwrap(), Some(UNACKNOWLEDGED));
    }
}
