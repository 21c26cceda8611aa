//! How many files the process has open, and for what there is room.
//!
//! Every connection is one of them, whichever side has begun it, and a database is two. What the process needs at any
//! time is kept free of what anybody can open from outside: connections leave room for databases and for calls of event
//! handlers, and calls leave room for databases.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::{clock, log};

/// How many open files are kept free of connections, or half of all where those are few. As
/// databases and calls use them, fewer connections are accepted, so that half of them stay free.
const RESERVE: usize = 256;
/// How many files a thread has open for itself.
const OF_A_THREAD: usize = 4;
/// How many the process has open beside those of its threads: its listeners, the lock and the like.
const OF_THE_PROCESS: usize = 16;
/// After how many milliseconds it is said again that there is no room.
const SAID_AGAIN_MILLIS: u64 = 60_000;

/// The open files of the process, which all threads share.
#[derive(Debug, Clone)]
pub(crate) struct OpenFiles(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    /// How many there may be.
    limit: usize,
    connections: AtomicUsize,
    others: AtomicUsize,
    /// When it was last said that there is no room, in milliseconds since 1970.
    said: AtomicU64,
}

/// What a file is open for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Connection,
    Other,
}

/// Some open files, which are counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Opened {
    counts: Arc<Counts>,
    of: Use,
    files: usize,
}

impl OpenFiles {
    /// Those of a process that may have so many, and has so many threads.
    pub(crate) fn of(limit: u64, threads: usize) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let own = AtomicUsize::new(OF_THE_PROCESS + threads.saturating_mul(OF_A_THREAD));
        let (connections, said) = (AtomicUsize::default(), AtomicU64::default());
        Self(Arc::new(Counts { limit, connections, others: own, said }))
    }

    /// Counts a connection of a client, whether or not there is room.
    pub(crate) fn connection(&self) -> Opened {
        self.count(Use::Connection, 1)
    }

    /// Counts files that are no client's connection, whether or not there is room.
    pub(crate) fn others(&self, files: usize) -> Opened {
        self.count(Use::Other, files)
    }

    /// How many connections of clients there are.
    pub(crate) fn connections(&self) -> usize {
        self.0.connections.load(Ordering::Relaxed)
    }

    /// Whether a client may have another connection.
    pub(crate) fn has_room_for_connection(&self) -> bool {
        let reserve = self.reserve();
        let most = (self.0.limit - reserve).max(1);
        self.connections() < most && self.all() < self.0.limit.saturating_sub(reserve / 2).max(most)
    }

    /// Whether the service may open something that can wait, or that may fail: a connection to an event handler, say.
    pub(crate) fn has_room_for_others(&self) -> bool {
        self.all() < self.0.limit - self.reserve() / 4
    }

    /// Whether a stored object may be started before it is asked for. Clients who come meanwhile find room; of the files
    /// that are kept free of them, half are for such objects however many clients there are.
    pub(crate) fn has_room_for_stored(&self) -> bool {
        let reserve = self.reserve();
        let others = self.0.others.load(Ordering::Relaxed);
        self.has_room_for_others() && (others < reserve / 2 || self.all() < self.0.limit - reserve)
    }

    /// Says that there is no room for something, unless that was said a moment ago.
    pub(crate) fn say_full(&self, what: &str) {
        let (now, said) = (clock::now().as_millis(), self.0.said.load(Ordering::Relaxed));
        if said == 0 || now.abs_diff(said) >= SAID_AGAIN_MILLIS {
            self.0.said.store(now, Ordering::Relaxed);
            let why = format!(
                "the process may have {} files open, and the rest is for its databases: raise the limit (LimitNOFILE=, ulimit -n)",
                self.0.limit
            );
            log::refusal(what, &why);
        }
    }

    /// How many there are.
    pub(crate) fn all(&self) -> usize {
        self.connections() + self.0.others.load(Ordering::Relaxed)
    }

    fn reserve(&self) -> usize {
        RESERVE.min(self.0.limit.div_ceil(2))
    }

    fn count(&self, of: Use, files: usize) -> Opened {
        let counts = Arc::clone(&self.0);
        counts.of(of).fetch_add(files, Ordering::Relaxed);
        Opened { counts, of, files }
    }
}

impl Counts {
    const fn of(&self, of: Use) -> &AtomicUsize {
        match of {
            Use::Connection => &self.connections,
            Use::Other => &self.others,
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.counts.of(self.of).fetch_sub(self.files, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many connections there is room for beside so many other files, and how many calls beside those.
    fn room(limit: u64, others: usize) -> (usize, usize) {
        let open = OpenFiles::of(limit, 0);
        open.0.others.store(others, Ordering::Relaxed);
        let mut all = Vec::new();
        while open.has_room_for_connection() {
            all.push(open.connection());
        }
        while open.has_room_for_others() {
            all.push(open.others(1));
        }
        let connections = open.connections();
        (connections, all.len() - connections)
    }

    #[test]
    fn few_open_files_are_shared_by_connections_and_others() {
        let connections = [0, 256, 512, 1024, 10_240].map(|limit| room(limit, 0).0);
        assert_eq!(connections, [1, 128, 256, 768, 9_984]);
        assert!(OpenFiles::of(u64::MAX, 8).has_room_for_connection());
    }

    #[test]
    fn what_others_have_open_is_left_by_connections() {
        assert_eq!(room(1024, 128), (768, 64));
        assert_eq!(room(1024, 300), (596, 64));
        // Where databases have all, only a call that needs no new one is left.
        assert_eq!(room(1024, 1000), (0, 0));
    }

    #[test]
    fn calls_leave_room_for_databases() {
        let (connections, calls) = room(1024, 0);
        assert_eq!(1024 - connections - calls, 64);
    }

    #[test]
    fn what_is_stored_is_started_with_room_left_for_connections() {
        for (before, started, after) in [(0, 768, 128), (500, 268, 128), (768, 128, 0)] {
            let open = OpenFiles::of(1024, 0);
            open.0.others.store(0, Ordering::Relaxed);
            let mut all: Vec<_> = (0..before).map(|_| open.connection()).collect();
            while open.has_room_for_stored() {
                all.push(open.others(1));
            }
            assert_eq!(all.len() - before, started);
            while open.has_room_for_connection() {
                all.push(open.connection());
            }
            assert_eq!(open.connections() - before, after);
        }
    }

    #[test]
    fn what_is_closed_leaves_its_room() {
        let open = OpenFiles::of(2, 0);
        open.0.others.store(0, Ordering::Relaxed);
        let first = open.connection();
        assert!(!open.has_room_for_connection());
        drop(first);
        assert!(open.has_room_for_connection());
    }
}
