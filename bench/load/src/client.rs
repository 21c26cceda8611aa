//! A client's connection: one task that reads, one that writes.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt, TryStreamExt, stream};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::AbortHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::dialect::{Dialect, Incoming};
use crate::error::LoadError;
use crate::plan::{Endpoint, Plan};

/// How many bytes a connection reads at once: there may be ten thousand of them.
const READ_BUFFER: usize = 4 * 1024;
/// After how many messages a reliable client says how far it is.
const SEQUENCE_ACK_EVERY: u64 = 50;
/// How many connections of a crowd are opened at once.
const AT_ONCE: usize = 32;
/// How many connections come from one address of the loopback.
const CONNECTIONS_OF_AN_ADDRESS: u32 = 20_000;
/// How long a connection may take to be ready.
const CONNECT_LIMIT: Duration = Duration::from_secs(60);

type Socket = WebSocketStream<TcpStream>;

/// What a connection has received, or that the server has closed it, with the reason.
pub(crate) type Event = Result<Incoming, String>;

/// An open connection. It ends, without a closing handshake, when it is dropped.
#[derive(Debug)]
pub(crate) struct Client {
    out: UnboundedSender<Message>,
    tasks: [AbortHandle; 2],
}

impl Drop for Client {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Client {
    /// Connects, waits until the connection is ready, and calls `on` with everything after that.
    pub(crate) async fn open(
        plan: &Plan,
        endpoint: &Endpoint,
        on: impl Fn(Event) + 'static,
    ) -> Result<Self, LoadError> {
        let opening = Opened::new(&plan.address, plan.dialect, endpoint);
        let opened = tokio::time::timeout(CONNECT_LIMIT, opening)
            .await
            .map_err(|_| LoadError::Late("a connection", CONNECT_LIMIT.as_secs()))??;
        Ok(opened.start(plan.dialect, on))
    }

    /// Connects to a reliable connection that lost its socket, which goes on without a greeting.
    pub(crate) async fn come_back(
        plan: &Plan,
        path: &str,
        on: impl Fn(Event) + 'static,
    ) -> Result<Self, LoadError> {
        let socket = connect(&plan.address, plan.dialect, path).await?;
        Ok(Opened { socket, recovery: None }.start(plan.dialect, on))
    }

    /// Queues a frame.
    pub(crate) fn send(&self, frame: Message) {
        // A connection that the server has closed reports that itself.
        let _ = self.out.send(frame);
    }
}

/// A connection that is ready and not yet read.
pub(crate) struct Opened {
    socket: Socket,
    /// What recovers it: its id and a token.
    pub(crate) recovery: Option<(String, String)>,
}

impl Opened {
    /// Connects and waits until the connection is ready.
    pub(crate) async fn new(address: &str, dialect: Dialect, to: &Endpoint) -> Result<Self, LoadError> {
        let mut socket = connect(address, dialect, &to.path).await?;
        if let Some(hello) = dialect.hello(to.topic.as_deref()) {
            socket.send(hello).await?;
        }
        if !dialect.greets() {
            return Ok(Self { socket, recovery: None });
        }
        while let Some(frame) = socket.next().await {
            match dialect.read(frame?) {
                Incoming::Greeting { recovery } => return Ok(Self { socket, recovery }),
                Incoming::Reply(reply) => socket.send(reply).await?,
                Incoming::Message { .. } | Incoming::Ack { .. } | Incoming::Other => {}
            }
        }
        Err(LoadError::NotGreeted)
    }

    fn start(self, dialect: Dialect, on: impl Fn(Event) + 'static) -> Client {
        let (sink, stream) = self.socket.split();
        let (out, queue) = mpsc::unbounded_channel();
        let reading = tokio::task::spawn_local(read(stream, dialect, out.clone(), on));
        let writing = tokio::task::spawn_local(write(sink, queue));
        Client { out, tasks: [reading.abort_handle(), writing.abort_handle()] }
    }
}

/// Connects, on the loopback from one address after the other, for each has ports for so many connections only.
async fn dial(address: &str) -> Result<TcpStream, LoadError> {
    static DIALLED: AtomicU32 = AtomicU32::new(0);
    let loopback = address.parse::<SocketAddr>().ok().filter(|to| to.is_ipv4() && to.ip().is_loopback());
    let from = DIALLED.fetch_add(1, Ordering::Relaxed) / CONNECTIONS_OF_AN_ADDRESS;
    let Some(to) = loopback.filter(|_| from > 0) else { return Ok(TcpStream::connect(address).await?) };
    let socket = TcpSocket::new_v4()?;
    let from = u32::from(Ipv4Addr::LOCALHOST) + from;
    socket.bind(SocketAddr::new(Ipv4Addr::from(from).into(), 0))?;
    Ok(socket.connect(to).await?)
}

async fn connect(address: &str, dialect: Dialect, path: &str) -> Result<Socket, LoadError> {
    let stream = dial(address).await?;
    stream.set_nodelay(true)?;
    // Ends with a reset: no port of this machine waits for a minute.
    stream.set_zero_linger()?;
    let mut request = format!("ws://{address}{path}").into_client_request()?;
    if let Some(name) = dialect.subprotocol() {
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(name));
    }
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER).write_buffer_size(READ_BUFFER);
    match client_async_with_config(request, stream, Some(config)).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(response)) => Err(LoadError::Refused {
            method: "GET",
            path: path.split('?').next().unwrap_or_default().to_owned(),
            status: response.status().as_u16(),
            body: String::from_utf8_lossy(response.body().as_deref().unwrap_or_default()).into_owned(),
        }),
        Err(error) => Err(error.into()),
    }
}

async fn read(
    mut stream: SplitStream<Socket>,
    dialect: Dialect,
    out: UnboundedSender<Message>,
    on: impl Fn(Event),
) {
    let mut acknowledged = 0;
    loop {
        let frame = match stream.next().await {
            Some(Ok(Message::Close(close))) => {
                return on(Err(close.map_or_else(|| "without a code".to_owned(), |close| close.to_string())));
            }
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return on(Err(error.to_string())),
            None => return on(Err("the connection ended".to_owned())),
        };
        let incoming = dialect.read(frame);
        match &incoming {
            Incoming::Reply(reply) | Incoming::Message { reply: Some(reply), .. } => {
                let _ = out.send(reply.clone());
            }
            Incoming::Message { sequence_id: Some(id), .. } if *id >= acknowledged + SEQUENCE_ACK_EVERY => {
                acknowledged = *id;
                if let Ok(ack) = dialect.sequence_ack(*id) {
                    let _ = out.send(ack);
                }
            }
            Incoming::Message { .. } | Incoming::Ack { .. } | Incoming::Greeting { .. } | Incoming::Other => {
            }
        }
        on(Ok(incoming));
    }
}

/// Writes what is queued, all of it before the system is asked to send it.
async fn write(mut sink: SplitSink<Socket, Message>, mut queue: UnboundedReceiver<Message>) {
    while let Some(frame) = queue.recv().await {
        let mut fed = sink.feed(frame).await;
        while let (Ok(()), Ok(frame)) = (&fed, queue.try_recv()) {
            fed = sink.feed(frame).await;
        }
        // What broke is reported by whoever reads.
        let flushed: Result<(), tungstenite::Error> = sink.flush().await;
        if fed.is_err() || flushed.is_err() {
            return;
        }
    }
}

/// Opens connections of these numbers, some at once; `on` is called with the number of each.
pub(crate) async fn open_all<'a>(
    plan: &Plan,
    numbers: Range<usize>,
    endpoint: impl Fn(usize) -> Option<&'a Endpoint>,
    on: Rc<dyn Fn(usize, Event)>,
) -> Result<Vec<Client>, LoadError> {
    let open = |number: usize| {
        let (on, endpoint) = (Rc::clone(&on), endpoint(number));
        async move {
            let endpoint = endpoint.ok_or(LoadError::Missing("client"))?;
            Client::open(plan, endpoint, move |event| on(number, event)).await
        }
    };
    stream::iter(numbers).map(open).buffered(AT_ONCE).try_collect().await
}
