//! Reports to the program that has started this one, in the way of systemd's `Type=notify`.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use crate::log;

/// What becomes of the process.
#[derive(Debug, Clone, Copy)]
pub(crate) enum State {
    /// It listens.
    Ready,
    /// It is about to end.
    Stopping,
}

/// Reports a state, where a supervisor has asked for it.
pub(crate) fn report(state: State) {
    let Some(name) = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else { return };
    let text: &[u8] = match state {
        State::Ready => b"READY=1",
        State::Stopping => b"STOPPING=1",
    };
    let sent = address(&name).and_then(|to| UnixDatagram::unbound()?.send_to_addr(text, &to));
    if let Err(error) = sent {
        log::failure("reporting to the supervisor", &error);
    }
}

/// The address of a socket that is called so: by its path, or on Linux by a name after an `@`.
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    #[cfg(target_os = "linux")]
    if let Some(name) = name.as_bytes().strip_prefix(b"@") {
        return <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name);
    }
    SocketAddr::from_pathname(name)
}
