//! What the tasks of one thread share, and how threads reach each other.
//!
//! Every thread serves requests and sockets, and the hubs that are its own: all shards of a hub, and its
//! directory, are on one thread. So a shard relays to its neighbours without crossing over. The one lock is around
//! what is known of hubs, for as long as it takes to look that up.

use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::mpsc::error::SendError;
use tokio::sync::{oneshot, watch};
use webpubsub_service::{Config, DirectoryCall, KnownHandlers, ObjectResponse, ViewCache};

use crate::credit::Credit;
use crate::http_client::HttpClient;
use crate::long_heads::LongHeads;
use crate::long_messages::LongMessages;
use crate::open_files::{OpenFiles, Opened};
use crate::pages::Pages;
use crate::shard_message::{ShardMessage, ShardSender};
use crate::sockets::{Outgoing, Sent, Sockets};
use crate::start_error::StartError;
#[cfg(test)]
use crate::storage::Durability;
use crate::storage::Storage;
use crate::tls::Certificates;
use crate::variables::Variables;
use crate::verified::Verified;

/// How long a shard without connections stays in memory, and a directory at least.
pub(crate) const IDLE: Duration = Duration::from_secs(20);

/// Something for another thread.
pub(crate) enum Letter {
    /// A connection to serve, which is counted.
    Serve(std::net::TcpStream, Listener, Opened),
    /// Something for a shard, by its object's name.
    Shard(String, ShardMessage),
    /// A call of a directory, by its name.
    Directory(String, DirectoryCall, oneshot::Sender<ObjectResponse>),
    /// What shards want of sockets of the thread.
    Sockets(Sent),
    /// Start what is stored of objects of these names, for what they are to do.
    Wake(Vec<String>),
    /// Stop all shards.
    Stop(oneshot::Sender<()>),
}

/// Which listener a connection came in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listener {
    Http,
    Https,
}

/// The ways to all threads.
pub(crate) struct Peers(pub(crate) Vec<UnboundedSender<Letter>>);

impl Peers {
    /// The number of the thread that an object is on.
    pub(crate) fn owner(&self, object: &str) -> usize {
        let hub = object.split('/').next().unwrap_or_default();
        // FNV-1a, which is short, and the same on all threads.
        let hash = hub.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        (hash >> 32) as usize % self.0.len().max(1)
    }

    /// Sends something to a thread. One that has ended takes nothing.
    pub(crate) fn send(&self, thread: usize, letter: Letter) {
        if let Some(peer) = self.0.get(thread) {
            let _ = peer.send(letter);
        }
    }
}

/// What the tasks of one thread share.
pub(crate) struct Thread {
    pub(crate) number: usize,
    pub(crate) peers: Arc<Peers>,
    pub(crate) config: Rc<Config>,
    pub(crate) variables: Arc<Variables>,
    pub(crate) storage: Storage,
    pub(crate) sockets: Sockets,
    /// The thread's own shards that are in memory, by their objects' names.
    pub(crate) shards: RefCell<HashMap<String, ShardSender>>,
    /// What is known of hubs. All threads know the same, as a change is to hold at once, whoever is asked next.
    pub(crate) views: Arc<Mutex<ViewCache>>,
    pub(crate) known: RefCell<KnownHandlers>,
    pub(crate) verified: RefCell<Verified>,
    pub(crate) http: HttpClient,
    pub(crate) pages: Arc<Pages>,
    pub(crate) tls: Option<Certificates>,
    pub(crate) open: OpenFiles,
    /// What has come of long heads, on all threads.
    pub(crate) long_heads: LongHeads,
    /// What has come of clients' long messages, on all threads.
    pub(crate) long_messages: LongMessages,
    /// Whether the process is about to end.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl Thread {
    /// Has a shard do something, wherever it is.
    pub(crate) fn to_shard(&self, name: String, message: ShardMessage) {
        let unsent = match self.shards.borrow().get(&name) {
            Some(shard) => shard.send(message).err().map(|SendError(message)| message),
            None => Some(message),
        };
        if let Some(message) = unsent {
            self.peers.send(self.peers.owner(&name), Letter::Shard(name, message));
        }
    }

    /// Makes a call of a directory, wherever it is; `None` where it has failed.
    pub(crate) async fn ask_directory(&self, name: String, call: DirectoryCall) -> Option<ObjectResponse> {
        let (owner, (reply, answer)) = (self.peers.owner(&name), oneshot::channel());
        self.peers.send(owner, Letter::Directory(name, call, reply));
        answer.await.ok()
    }

    /// Gives sockets what a shard wants of them, wherever they are, on its credit.
    pub(crate) fn to_sockets(&self, thread: usize, outgoing: Vec<Outgoing>, credit: &Arc<Credit>) {
        let sizes = outgoing.iter().map(Outgoing::size);
        let (messages, bytes) = sizes.fold((0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1));
        let sent = Sent { outgoing, loan: credit.lend(messages, bytes) };
        if thread == self.number {
            self.sockets.deliver([sent]);
        } else {
            self.peers.send(thread, Letter::Sockets(sent));
        }
    }
}

/// Makes a panic in what a thread does as long as the process lives an error that ends the process: without that thread
/// the hubs on it would be gone until somebody ends the process by hand.
pub(crate) async fn unbroken(
    serving: impl Future<Output = Result<(), StartError>>,
) -> Result<(), StartError> {
    AssertUnwindSafe(serving).catch_unwind().await.unwrap_or(Err(StartError::Panicked))
}

#[cfg(test)]
impl Thread {
    /// The only thread of a service that has its files in a folder of this name.
    pub(crate) fn alone(durability: Durability, name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("webpubsub-{name}-{}", std::process::id()));
        let (open, key) = (OpenFiles::of(1024, 1), "a".repeat(32));
        let variable = |name: &str| (name == "WEBPUBSUB_ACCESS_KEY").then(|| key.clone());
        Self {
            number: 0,
            peers: Arc::new(Peers(Vec::new())),
            http: HttpClient::new(crate::http_client::trusting_the_system().unwrap(), true, open.clone()),
            config: Rc::new(Config::read(&variable).unwrap()),
            variables: Arc::default(),
            storage: Storage::open(&folder, durability, open.clone()).unwrap(),
            sockets: Sockets::default(),
            shards: RefCell::default(),
            views: Arc::default(),
            known: RefCell::default(),
            verified: RefCell::default(),
            pages: Arc::new(Pages::read(None).unwrap()),
            tls: None,
            open,
            long_heads: LongHeads::default(),
            long_messages: LongMessages::default(),
            stopping: watch::channel(false).1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_of_a_thread_itself_ends_the_process() {
        let error = unbroken(async { panic!("a fault of ours") }).await.unwrap_err();
        assert!(matches!(error, StartError::Panicked));
        assert!(!error.is_usage(), "a supervisor starts it again");
        assert!(unbroken(async { Ok(()) }).await.is_ok());
    }
}
