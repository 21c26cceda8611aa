//! The process: its threads, its listeners and its end.

use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::net::TcpListener as StdListener;
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
use webpubsub_service::{Config, KeyRing, ViewCache};

use crate::http_client::{HttpClient, trusting_the_system};
use crate::listening::Given;
use crate::long_heads::LongHeads;
use crate::long_messages::LongMessages;
use crate::open_files::OpenFiles;
use crate::options::{Options, bracketed};
use crate::pages::Pages;
use crate::start_error::StartError;
use crate::storage::{Durability, Storage};
use crate::thread::{Letter, Listener, Peers, Thread, unbroken};
use crate::tls::{CertificateFiles, Certificates};
use crate::variables::Variables;
use crate::{listening, log, objects, supervisor};

/// How many open files a process may have on macOS that says it may have any number: it takes no greater one, nor none.
const OPEN_MAX: u64 = 10_240;
/// How long nothing is accepted when the system has no more open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long shards may take to stop.
const STOP: Duration = Duration::from_secs(5);
/// How long clients may take to read what they were sent last.
const FAREWELL: Duration = Duration::from_secs(3);
/// How often it is looked whether they have.
const LOOK: Duration = Duration::from_millis(10);

/// What all threads are started with.
struct Shared {
    peers: Arc<Peers>,
    variables: Arc<Variables>,
    storage: Storage,
    client: Arc<ClientConfig>,
    certificates: Option<Certificates>,
    pages: Arc<Pages>,
    open: OpenFiles,
    long_heads: LongHeads,
    long_messages: LongMessages,
    views: Arc<Mutex<ViewCache>>,
    keys: Arc<KeyRing>,
    stopping: watch::Receiver<bool>,
}

/// Where the service listens.
struct Listeners {
    http: StdListener,
    https: Option<HttpsListener>,
}

/// Where it listens for https, and with which certificate.
struct HttpsListener {
    listener: StdListener,
    files: CertificateFiles,
    config: Arc<ServerConfig>,
}

impl Listeners {
    /// Listens where the options say, or at the sockets that the process was started with.
    fn open(options: &Options) -> Result<Self, StartError> {
        let given = Given::take().map_err(StartError::Given)?;
        let listen = |given: Option<StdListener>, option, port| match given {
            Some(listener) => Ok(listener),
            None => listening::listen(&options.host, port).map_err(|error| StartError::Listen {
                address: format!("{}:{port}", bracketed(&options.host)),
                option,
                error,
            }),
        };
        let http = listen(given.http, "--port", options.port)?;
        let https = match (&options.https, given.https) {
            (Some((port, files)), given) => {
                let (config, files) = (files.read()?, files.clone());
                Some(HttpsListener { listener: listen(given, "--https-port", *port)?, config, files })
            }
            (None, Some(_)) => return Err(StartError::NoCertificate),
            (None, None) => None,
        };
        Ok(Self { http, https })
    }

    /// The ports for http and, if it is served, for https.
    fn ports(&self) -> io::Result<(u16, Option<u16>)> {
        let https = self.https.as_ref().map(|https| https.listener.local_addr()).transpose()?;
        Ok((self.http.local_addr()?.port(), https.map(|address| address.port())))
    }
}

/// Runs the service until a signal ends it.
///
/// # Errors
/// Why it does not start, or ends by itself.
pub fn run(options: &Options) -> Result<(), StartError> {
    let listeners = Listeners::open(options)?;
    let (http_port, https_port) = listeners.ports()?;
    let mut variables = Variables::new(options.variables.iter().cloned());
    variables.set_default("SERVICE_HOSTS", options.service_hosts(http_port, https_port));
    let keys = variables.configure().map_err(|error| error.of(&options.given_by))?.keys;
    for weak in variables.weak_keys() {
        log::refusal("checking the access keys", &weak);
    }
    let state = |error| StartError::State { folder: options.state.clone(), error };
    let pages = |error| StartError::Pages { folder: options.pages.clone().unwrap_or_default(), error };
    let open = OpenFiles::of(raise_open_files(), options.threads);
    let storage = Storage::open(&options.state, options.durability, open.clone()).map_err(state)?;
    let _lock = lock(options)?;

    let (stop, stopping) = watch::channel(false);
    let config = listeners.https.as_ref().map(|https| Arc::clone(&https.config));
    let (renew, certificates) = config.map(watch::channel).unzip();
    let (senders, letters): (Vec<_>, Vec<_>) = (0..options.threads).map(|_| unbounded_channel()).unzip();
    let shared = Arc::new(Shared {
        peers: Arc::new(Peers(senders)),
        variables: Arc::new(variables),
        storage,
        client: trusting_the_system()?,
        certificates: certificates.map(Certificates::new),
        pages: Arc::new(Pages::read(options.pages.as_deref()).map_err(pages)?),
        open,
        long_heads: LongHeads::default(),
        long_messages: LongMessages::default(),
        views: Arc::default(),
        keys,
        stopping,
    });
    let Some(letters) = start_threads(&shared, letters)? else { return Ok(()) };
    local(async {
        let served = tokio::task::spawn_local({
            let shared = Arc::clone(&shared);
            async move { unbroken(serve_thread(&shared, 0, letters)).await }
        });
        wake_stored_objects(&shared);
        let said = begin_accepting(&shared, listeners, &bracketed(&options.host), renew)?;
        tokio::select! {
            ended = serve_until_signal(&said) => ended?,
            served = served => served.unwrap_or(Err(StartError::Panicked))?,
        }
        let _ = stop.send(true);
        end(&shared).await;
        Ok(())
    })?
}

/// Starts all threads but the first, whose letters it returns.
fn start_threads(
    shared: &Arc<Shared>,
    letters: Vec<UnboundedReceiver<Letter>>,
) -> io::Result<Option<UnboundedReceiver<Letter>>> {
    let mut letters = letters.into_iter();
    let first = letters.next();
    for (number, letters) in (1..).zip(letters) {
        let shared = Arc::clone(shared);
        std::thread::Builder::new()
            .name(format!("hubs-{number}"))
            .spawn(move || run_thread(serve_thread(&shared, number, letters)))?;
    }
    Ok(first)
}

/// Runs what a thread does as long as the process lives, which ends with it where it fails.
fn run_thread(serving: impl Future<Output = Result<(), StartError>>) {
    if let Err(error) = local(unbroken(serving)).and_then(|served| served) {
        log::failure("a thread", &error);
        std::process::exit(1);
    }
}

/// Wakes every object that has stored something, each on its thread.
fn wake_stored_objects(shared: &Shared) {
    let mut stored = vec![Vec::new(); shared.peers.0.len()];
    for name in shared.storage.names() {
        match name {
            Ok(name) => {
                if let Some(names) = stored.get_mut(shared.peers.owner(&name)) {
                    names.push(name);
                }
            }
            Err((file, error)) => log::file_failure("opening what is stored", &file, &error),
        }
    }
    for (thread, names) in stored.into_iter().enumerate() {
        shared.peers.send(thread, Letter::Wake(names));
    }
}

/// Accepts connections from here on, and returns what is said of that.
fn begin_accepting(
    shared: &Arc<Shared>,
    listeners: Listeners,
    host: &str,
    renew: Option<watch::Sender<Arc<ServerConfig>>>,
) -> Result<String, StartError> {
    let (http_port, https_port) = listeners.ports()?;
    let mut said = String::new();
    if let Some(HttpsListener { listener, files, .. }) = listeners.https {
        accept(shared, TcpListener::from_std(listener)?, Listener::Https);
        said += &format!("listening on https://{host}:{}\n", https_port.unwrap_or(0));
        if let Some(renew) = renew {
            renew_on_hangup(files, renew)?;
        }
    }
    accept(shared, TcpListener::from_std(listeners.http)?, Listener::Http);
    said += &format!("listening on http://{host}:{http_port}\n");
    Ok(said)
}

/// Says that it serves, and returns when a signal asks it to end.
async fn serve_until_signal(said: &str) -> io::Result<()> {
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
    Ok(())
}

/// Runs a future, and what it starts, on this thread alone.
fn local<F: Future>(future: F) -> Result<F::Output, StartError> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let output = LocalSet::new().block_on(&runtime, future);
    // The system may be looking for a handler's address still, which nothing waits for any more.
    runtime.shutdown_background();
    Ok(output)
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
        http: HttpClient::new(Arc::clone(&shared.client), config.private_handlers, shared.open.clone()),
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
        long_heads: shared.long_heads.clone(),
        long_messages: shared.long_messages.clone(),
        stopping: shared.stopping.clone(),
    };
    objects::run(Rc::new(thread), letters).await;
    Ok(())
}

/// Accepts connections, and has one thread after the other serve them.
fn accept(shared: &Arc<Shared>, listener: TcpListener, by: Listener) {
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
                    Ok((stream, _)) if shared.open.has_room_for_connection() => break stream,
                    // One that is too many is closed at once.
                    Ok(_) => shared.open.say_full("accepting a connection"),
                    // The peer has gone, or there are no more open files.
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                }
            };
            // It is counted before the next one comes. On its thread it is registered with that thread's poll.
            let open = shared.open.connection();
            if let Ok(stream) = stream.into_std() {
                shared.peers.send(next, Letter::Serve(stream, by, open));
            }
        }
    });
}

/// Lets the process have as many open files as it may, and returns how many those are.
fn raise_open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limits = getrlimit(Resource::Nofile);
    let raise = |current| setrlimit(Resource::Nofile, Rlimit { current, ..limits });
    // Where neither is taken, it stays what it is.
    let _ = raise(limits.maximum).or_else(|_| raise(Some(OPEN_MAX)));
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
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
    // Those that are open after that end with the process.
    let _ = timeout(FAREWELL, async {
        while shared.open.connections() > 0 {
            sleep(LOOK).await;
        }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Set for the process that a test starts of this very program, for a thread of it to panic.
    const PANICS: &str = "WEBPUBSUB_TEST_PANICS";

    #[test]
    fn a_thread_that_panics_ends_its_process() {
        if std::env::var_os(PANICS).is_some() {
            std::thread::spawn(|| run_thread(async { panic!("a fault of ours") }));
            // The first thread goes on.
            std::thread::sleep(Duration::from_secs(60));
            return;
        }
        let name = "process::tests::a_thread_that_panics_ends_its_process";
        let mut program = std::process::Command::new(std::env::current_exe().unwrap());
        let ended = program.args(["--exact", name, "--nocapture"]).env(PANICS, "1").output().unwrap();
        assert_eq!(ended.status.code(), Some(1));
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(said.contains(r#""failed":"a thread","error":"a thread has panicked"#), "{said}");
    }

    #[test]
    fn the_end_waits_for_no_name_that_is_looked_up() {
        let (release, released) = mpsc::channel::<()>();
        let (done, is_done) = mpsc::channel();
        local(async {
            // As the runtime looks up names.
            tokio::task::spawn_blocking(move || {
                let _ = released.recv_timeout(Duration::from_secs(10));
                let _ = done.send(());
            });
        })
        .unwrap();
        assert_eq!(is_done.try_recv(), Err(mpsc::TryRecvError::Empty));
        drop(release);
    }
}
