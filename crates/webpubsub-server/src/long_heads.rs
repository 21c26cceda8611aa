//! Heads of requests that are long and have not ended. Anybody may begin one, so what has come of all of them together is
//! bounded. A short one costs no more than its connection does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// From this many bytes on a head is counted.
const SHORT_BYTES: usize = 16 << 10;
/// How many bytes may have come of all those that are counted.
const MAX_BYTES: usize = 64 << 20;

/// What has come of all heads that are counted, on all threads.
#[derive(Debug, Clone, Default)]
pub(crate) struct LongHeads(Arc<AtomicUsize>);

/// The heads of one connection, which come one after the other.
#[derive(Debug)]
pub(crate) struct Head {
    all: LongHeads,
    /// How many bytes have come of the one that is read, and one more; 0 between heads.
    read: AtomicUsize,
}

impl LongHeads {
    /// Those of a connection.
    pub(crate) fn head(&self) -> Arc<Head> {
        Arc::new(Head { all: self.clone(), read: AtomicUsize::new(0) })
    }
}

impl Head {
    /// A head is read from here on.
    pub(crate) fn begin(&self) {
        self.end();
        self.read.store(1, Ordering::Relaxed);
    }

    /// Whether a head is read.
    pub(crate) fn has_begun(&self) -> bool {
        self.read.load(Ordering::Relaxed) > 0
    }

    /// So many bytes more have come. Returns whether that is not too much.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        let before = self.read.load(Ordering::Relaxed);
        if before == 0 {
            return true;
        }
        let read = before + bytes;
        self.read.store(read, Ordering::Relaxed);
        let more = counted(read) - counted(before);
        more == 0 || self.all.0.fetch_add(more, Ordering::Relaxed) + more <= MAX_BYTES
    }

    /// The head is there, or there will be none.
    pub(crate) fn end(&self) {
        let counted = counted(self.read.swap(0, Ordering::Relaxed));
        if counted > 0 {
            self.all.0.fetch_sub(counted, Ordering::Relaxed);
        }
    }
}

/// What is counted of a head.
const fn counted(read: usize) -> usize {
    if read > SHORT_BYTES { read } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The heads of so many connections, of each of which so much has come.
    fn heads(all: &LongHeads, count: usize, bytes: usize) -> (Vec<Arc<Head>>, bool) {
        let heads: Vec<_> = (0..count).map(|_| all.head()).collect();
        heads.iter().for_each(|head| head.begin());
        let is_taken = heads.iter().all(|head| head.take(bytes / 2) && head.take(bytes - bytes / 2));
        (heads, is_taken)
    }

    #[test]
    fn long_heads_are_bounded_together() {
        let all = LongHeads::default();
        let most = MAX_BYTES / (100 << 10);
        let (heads, is_taken) = heads(&all, most, 100_000);
        assert!(is_taken);
        let one = all.head();
        one.begin();
        assert!(one.take(SHORT_BYTES - 1), "a short one is taken");
        while one.take(20_000) {}
        one.end();
        assert!(heads[0].take(1));
        // There is room again once some have ended.
        heads.iter().for_each(|head| head.end());
        assert_eq!(all.0.load(Ordering::Relaxed), 0);
        one.begin();
        assert!(one.take(150_000));
    }

    #[test]
    fn short_heads_and_bodies_are_not_counted() {
        let all = LongHeads::default();
        assert!(heads(&all, 10_000, SHORT_BYTES - 1).1);
        let head = all.head();
        head.begin();
        head.take(1_000);
        head.end();
        assert!(head.take(2 * MAX_BYTES), "a body");
        assert_eq!(all.0.load(Ordering::Relaxed), 0);
    }
}
