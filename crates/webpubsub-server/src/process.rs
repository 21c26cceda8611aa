//! The process: its threads, its listeners and its end.

use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::net::TcpListener as StdListener;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::{ClientConfig, ServerConfig};
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::{oneshot, watch};
use tokio::task::LocalSet;
use tokio::time::{sleep, timeout};
use webpubsub_service::{Config, ConfigError, KeyRing, ViewCache};

use crate::http_client::{HttpClient, trusting_the_system};
use crate::listening::Given;
use crate::open_count::OpenCount;
use crate::options::{Options, bracketed};
use crate::pages::Pages;
use crate::storage::{Durability, Storage};
use crate::thread::{Letter, Listener, Peers, Thread};
use crate::tls::{CertificateError, CertificateFiles, Certificates};
use crate::variables::Variables;
use crate::{listening, log, objects, supervisor};

/// How many open files are left for databases and the like.
const OTHER_FILES: u64 = 256;
/// How long nothing is accepted when the system has no more open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long shards may take to stop.
const STOP: Duration = Duration::from_secs(5);
/// How long clients may take to read what they were sent last.
const FAREWELL: Duration = Duration::from_secs(3);
/// How often it is looked whether they have.
const LOOK: Duration = Duration::from_millis(10);

/// Why the service does not start, or ends by itself.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no access key.
    #[error("WEBPUBSUB_ACCESS_KEY is not in the environment: it is a text of 32 or more random characters")]
    NoAccessKey,
    /// A variable is wrong.
    #[error("the service is not set up: {0}")]
    Config(ConfigError),
    /// It cannot listen there.
    #[error("cannot listen at {address}: {error}")]
    Listen {
        /// Where.
        address: String,
        /// Why.
        error: io::Error,
    },
    /// The sockets that it was started with are of no use.
    #[error("the sockets that the service was started with cannot be used: {0}")]
    Given(io::Error),
    /// There is a socket for https, and no certificate.
    #[error("a socket for https was given, which needs --cert FILE and --key FILE")]
    NoCertificate,
    /// The certificate cannot be used.
    #[error("{0}")]
    Certificate(String),
    /// The state folder cannot be used.
    #[error("the state folder {folder} cannot be used: {error}")]
    State {
        /// The folder.
        folder: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Another process runs on the state folder.
    #[error(
        "another process runs on the state folder {0}: end it first, or take another folder with --state DIR"
    )]
    StateInUse(PathBuf),
    /// The pages cannot be read.
    #[error("the pages cannot be read: {0}")]
    Pages(io::Error),
    /// The system gives no thread, socket or signal.
    #[error(transparent)]
    System(#[from] io::Error),
    /// TLS cannot be used.
    #[error("TLS cannot be used: {0}")]
    Tls(#[from] rustls::Error),
}

impl StartError {
    /// Whether it is a mistake of whoever started it.
    #[must_use]
    pub const fn is_usage(&self) -> bool {
        !matches!(self, Self::System(_) | Self::Tls(_))
    }
}

impl From<ConfigError> for StartError {
    fn from(error: ConfigError) -> Self {
        if error == ConfigError::NoAccessKey { Self::NoAccessKey } else { Self::Config(error) }
    }
}

impl From<CertificateError> for StartError {
    fn from(error: CertificateError) -> Self {
        Self::Certificate(error.to_string())
    }
}

/// What all threads are started with.
struct Shared {
    peers: Arc<Peers>,
    variables: Arc<Variables>,
    storage: Storage,
    client: Arc<ClientConfig>,
    certificates: Option<Certificates>,
    pages: Arc<Pages>,
    open: OpenCount,
    views: Arc<Mutex<ViewCache>>,
    keys: Arc<KeyRing>,
    stopping: watch::Receiver<bool>,
}

/// Runs the service until a signal ends it.
///
/// # Errors
/// Why it does not start, or ends by itself.
pub fn run(options: &Options) -> Result<(), StartError> {
    let given = Given::take().map_err(StartError::Given)?;
    let listen = |given: Option<StdListener>, port| match given {
        Some(listener) => Ok(listener),
        None => listening::listen(&options.host, port).map_err(|error| StartError::Listen {
            address: format!("{}:{port}", bracketed(&options.host)),
            error,
        }),
    };
    let http = listen(given.http, options.port)?;
    let https = match (&options.https, given.https) {
        (Some((port, files)), given) => Some((listen(given, *port)?, files.clone(), files.read()?)),
        (None, Some(_)) => return Err(StartError::NoCertificate),
        (None, None) => None,
    };
    let http_port = http.local_addr()?.port();
    let https_port = https.as_ref().map(|(listener, ..)| listener.local_addr()).transpose()?;
    let https_port = https_port.map(|address| address.port());

    let mut variables = Variables::new(options.variables.iter().cloned());
    variables.set_default("SERVICE_HOSTS", options.service_hosts(http_port, https_port));
    let keys = Config::read(&|name| variables.get(name))?.keys;
    let state = |error| StartError::State { folder: options.state.clone(), error };
    let storage = Storage::open(&options.state, options.durability).map_err(state)?;
    let _lock = lock(options)?;

    let (stop, stopping) = watch::channel(false);
    let (renew, certificates) =
        https.as_ref().map(|(_, _, config)| watch::channel(Arc::clone(config))).unzip();
    let (senders, mut letters): (Vec<_>, Vec<_>) = (0..options.threads).map(|_| unbounded_channel()).unzip();
    let shared = Arc::new(Shared {
        peers: Arc::new(Peers(senders)),
        variables: Arc::new(variables),
        storage,
        client: trusting_the_system()?,
        certificates: certificates.map(Certificates::new),
        pages: Arc::new(Pages::read(options.pages.as_deref()).map_err(StartError::Pages)?),
        open: OpenCount::default(),
        views: Arc::default(),
        keys,
        stopping,
    });
    let most = most_connections();
    for (number, letters) in letters.drain(1..).enumerate() {
        let shared = Arc::clone(&shared);
        std::thread::Builder::new().name(format!("hubs-{}", number + 1)).spawn(move || {
            let served = local(serve_thread(&shared, number + 1, letters));
            if let Err(error) = served.and_then(|served| served) {
                log::failure("a thread", &error);
                std::process::exit(1);
            }
        })?;
    }
    let Some(letters) = letters.pop() else { return Ok(()) };
    local(async {
        tokio::task::spawn_local({
            let shared = Arc::clone(&shared);
            async move { serve_thread(&shared, 0, letters).await }
        });
        for name in shared.storage.names() {
            match name {
                Ok(name) => shared.peers.send(shared.peers.owner(&name), Letter::Wake(name)),
                Err((file, error)) => log::file_failure("opening what is stored", &file, &error),
            }
        }
        let mut said = String::new();
        if let Some((listener, files, _)) = https {
            accept(&shared, TcpListener::from_std(listener)?, Listener::Https, most);
            said +=
                &format!("listening on https://{}:{}\n", bracketed(&options.host), https_port.unwrap_or(0));
            if let Some(renew) = renew {
                renew_on_hangup(files, renew)?;
            }
        }
        accept(&shared, TcpListener::from_std(http)?, Listener::Http, most);
        said += &format!("listening on http://{}:{http_port}\n", bracketed(&options.host));
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        // Where there is no certificate to read again, that is all that a hang-up does.
        let _hangup = signal(SignalKind::hangup())?;
        // A file that is as large as it may be is a full disk, and not the end of the process.
        let _too_large = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?;
        // Whoever started it may not want to know.
        let _ = io::stdout().write_all(said.as_bytes()).and_then(|()| io::stdout().flush());
        supervisor::report(supervisor::State::Ready);
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        supervisor::report(supervisor::State::Stopping);
        let _ = stop.send(true);
        end(&shared).await;
        Ok(())
    })?
}

/// Runs a future, and what it starts, on this thread alone.
fn local<F: Future>(future: F) -> Result<F::Output, StartError> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(LocalSet::new().block_on(&runtime, future))
}

async fn serve_thread(
    shared: &Shared,
    number: usize,
    letters: UnboundedReceiver<Letter>,
) -> Result<(), StartError> {
    let mut config = Config::read(&|name| shared.variables.get(name))?;
    config.keys = Arc::clone(&shared.keys);
    let is_set = |name: &str| shared.variables.get(name).is_some();
    if !is_set("SHARD_HARD_LIMIT") {
        // Connections are bounded by the process's open files.
        config.unbound_shards();
    }
    if !is_set("CLIENT_MESSAGES_PER_SECOND") && !is_set("CLIENT_MESSAGE_BURST") {
        // A client that sends faster than its messages are carried out is not read meanwhile.
        config.unbound_rate();
    }
    let config = Rc::new(config);
    let thread = Thread {
        number,
        peers: Arc::clone(&shared.peers),
        http: HttpClient::new(Arc::clone(&shared.client), config.private_handlers),
        config,
        variables: Arc::clone(&shared.variables),
        storage: shared.storage.clone(),
        sockets: crate::sockets::Sockets::default(),
        shards: std::cell::RefCell::default(),
        views: Arc::clone(&shared.views),
        known: std::cell::RefCell::default(),
        verified: std::cell::RefCell::default(),
        pages: Arc::clone(&shared.pages),
        tls: shared.certificates.clone(),
        open: shared.open.clone(),
        stopping: shared.stopping.clone(),
    };
    objects::run(Rc::new(thread), letters).await;
    Ok(())
}

/// Accepts connections, and has one thread after the other serve them.
fn accept(shared: &Arc<Shared>, listener: TcpListener, by: Listener, most: usize) {
    let shared = Arc::clone(shared);
    tokio::task::spawn_local(async move {
        let (threads, mut stopping) = (shared.peers.0.len(), shared.stopping.clone());
        for next in (0..threads).cycle() {
            let stream = loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    _ = stopping.wait_for(|stopping| *stopping) => return,
                };
                match accepted {
                    // One that is too many is closed at once.
                    Ok((stream, _)) if shared.open.now() < most => break stream,
                    Ok(_) => {}
                    // The peer has gone, or there are no more open files.
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                }
            };
            // It is counted before the next one comes. On its thread it is registered with that thread's poll.
            let open = shared.open.count();
            if let Ok(stream) = stream.into_std() {
                shared.peers.send(next, Letter::Serve(stream, by, open));
            }
        }
    });
}

/// Lets the process have as many open files as it may, and returns how many connections that makes.
fn most_connections() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limits = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limits.maximum, ..limits });
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(files.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX).max(1)
}

/// Keeps other processes off the state folder, as long as what it returns is there.
fn lock(options: &Options) -> Result<Option<File>, StartError> {
    if options.durability == Durability::Memory {
        return Ok(None);
    }
    let state = |error| StartError::State { folder: options.state.clone(), error };
    let file = File::create(options.state.join("native").join("lock")).map_err(state)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(StartError::StateInUse(options.state.clone())),
        Err(TryLockError::Error(error)) => Err(state(error)),
    }
}

/// Reads the certificate again after each SIGHUP.
fn renew_on_hangup(files: CertificateFiles, renew: watch::Sender<Arc<ServerConfig>>) -> io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::task::spawn_local(async move {
        while hangup.recv().await.is_some() {
            match files.read() {
                Ok(config) => drop(renew.send(config)),
                Err(error) => log::failure("reading the certificate again", &error),
            }
        }
    });
    Ok(())
}

/// Has all shards close their sockets and commit, and waits a moment for what is on its way to clients.
async fn end(shared: &Shared) {
    let stopped = shared.peers.0.iter().map(|peer| {
        let (done, stopped) = oneshot::channel();
        let _ = peer.send(Letter::Stop(done));
        stopped
    });
    let stopped: Vec<_> = stopped.collect();
    let all = async {
        for stopped in stopped {
            let _ = stopped.await;
        }
    };
    if timeout(STOP, all).await.is_err() {
        log::failure("stopping", &"not every shard has stopped in time");
    }
    let _ = timeout(FAREWELL, async {
        while shared.open.now() > 0 {
            sleep(LOOK).await;
        }
    })
    .await;
}
