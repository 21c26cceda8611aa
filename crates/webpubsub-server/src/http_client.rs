//! Requests to event handlers: pooled connections, no redirects, and no private address unless that is allowed.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::header::{CONTENT_LENGTH, HeaderMap, SET_COOKIE};
use hyper::{Response, Uri, body::Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tower_service::Service;
use webpubsub_protocol::event_handler::is_public_address;
use webpubsub_service::Request;

use crate::log;
use crate::open_files::{OpenFiles, Opened};

/// How long an address of a host may take to answer while there is another one: of a machine whose IPv6 leads nowhere,
/// each call would wait at the first until its time is over.
const ATTEMPT: Duration = Duration::from_secs(2);
/// How long a connection without a request is kept.
const IDLE: Duration = Duration::from_secs(30);

/// Takes a piece of an answer's body, with how many bytes the answer announces and its status; `false` ends the
/// reading.
pub(crate) type PieceTaker<'a> = dyn FnMut(&[u8], usize, u16) -> bool + 'a;

/// Why there is no answer, in a word that the service's crate knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// The request cannot be sent as it is.
    Unsendable,
    /// There is no connection, or it broke.
    Network,
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unsendable => "Unsendable",
            Self::Network => "Network",
        })
    }
}

/// The client of one thread.
pub(crate) struct HttpClient(Client<Connector, Full<Bytes>>);

impl HttpClient {
    /// A client that connects to private addresses only if `private` allows it.
    pub(crate) fn new(tls: Arc<ClientConfig>, private: bool, open: OpenFiles) -> Self {
        let connector = Connector { tls: tls.into(), private, open };
        let mut client = Client::builder(TokioExecutor::new());
        // Without a timer only the next request to the same host would end those that are kept too long.
        client.pool_idle_timeout(IDLE).pool_timer(TokioTimer::new());
        Self(client.build(connector))
    }

    /// Sends a request and passes the answer's body to `take`, if there is one. Returns the answer's status and
    /// its headers' names and values, a line each.
    ///
    /// # Errors
    /// Why there is no answer.
    pub(crate) async fn request(
        &self,
        request: &Request,
        take: Option<&mut PieceTaker<'_>>,
    ) -> Result<String, Unanswered> {
        let mut built = hyper::Request::builder().method(request.method).uri(&request.url);
        let mut lines = request.headers.split('\n');
        while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
            built = built.header(name, value);
        }
        let body = Full::from(request.body.clone().unwrap_or_default());
        let built = built.body(body).map_err(|_| Unanswered::Unsendable)?;
        let answer = self.0.request(built).await.map_err(|_| Unanswered::Network)?;
        let head = head(&answer);
        if let Some(take) = take {
            read(answer, take).await?;
        }
        Ok(head)
    }
}

/// Passes a body on, until it ends or no more of it is wanted.
async fn read(answer: Response<Incoming>, take: &mut PieceTaker<'_>) -> Result<(), Unanswered> {
    let status = answer.status().as_u16();
    let announced =
        answer.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let mut body = answer.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Unanswered::Network)?;
        if let Some(piece) = frame.data_ref()
            && !take(piece, announced.unwrap_or(0), status)
        {
            break;
        }
    }
    Ok(())
}

/// Status, and headers' names and values, a line each. Values of the same name are one, with commas between, but
/// for cookies.
fn head<B>(answer: &Response<B>) -> String {
    let mut head = answer.status().as_u16().to_string();
    let headers: &HeaderMap = answer.headers();
    let mut add = |name: &str, value: &str| {
        for part in ["\n", name, "\n", value] {
            head.push_str(part);
        }
    };
    for name in headers.keys() {
        let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        let values: Vec<_> = values.collect();
        if name == SET_COOKIE {
            values.iter().for_each(|value| add(name.as_str(), value));
        } else {
            add(name.as_str(), &values.join(", "));
        }
    }
    head
}

/// What TLS to event handlers trusts: the system's authorities.
pub(crate) fn trusting_the_system() -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        log::refusal("reading the system's certificate authorities", &"there are none: https handlers fail");
    }
    let provider = Arc::new(rustls_graviola::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// Opens connections to hosts, each of whose addresses is looked at before it is connected to.
#[derive(Clone)]
struct Connector {
    tls: TlsConnector,
    private: bool,
    open: OpenFiles,
}

impl Connector {
    async fn connect(self, uri: Uri) -> io::Result<TokioIo<Stream>> {
        let host = uri.host().ok_or(io::ErrorKind::InvalidInput)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
        if !self.open.has_room_for_others() {
            self.open.say_full("calling an event handler");
            return Err(io::Error::other("too many open files"));
        }
        // To look up a name takes one, too.
        let open = self.open.others(1);
        let tcp = self.connect_to(&host, port).await?;
        tcp.set_nodelay(true)?;
        if !is_secure {
            return Ok(TokioIo::new(Stream { transport: Box::new(tcp), _open: open }));
        }
        let name = ServerName::try_from(host).map_err(io::Error::other)?;
        let transport = Box::new(self.tls.connect(name, tcp).await?);
        Ok(TokioIo::new(Stream { transport, _open: open }))
    }

    /// Connects to the first address of a host that takes it.
    async fn connect_to(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        let addresses = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => tokio::net::lookup_host((host, port)).await?.collect(),
        };
        self.connect_to_one_of(addresses).await
    }

    async fn connect_to_one_of(&self, mut addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
        let is_named = !addresses.is_empty();
        addresses.retain(|address| self.private || is_public_address(address.ip()));
        let Some(last) = addresses.pop() else {
            let failure = io::Error::other("a private address");
            return Err(if is_named { failure } else { io::ErrorKind::AddrNotAvailable.into() });
        };
        for address in addresses {
            if let Ok(Ok(tcp)) = timeout(ATTEMPT, TcpStream::connect(address)).await {
                return Ok(tcp);
            }
        }
        TcpStream::connect(last).await
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<Stream>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// A connection to a handler.
struct Stream {
    /// TCP, or TLS on it.
    transport: Box<dyn Transport>,
    _open: Opened,
}

impl Stream {
    fn inner(self: Pin<&mut Self>) -> Pin<&mut dyn Transport> {
        Pin::new(&mut *self.get_mut().transport)
    }
}

/// What both kinds of a connection are.
trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Transport for T {}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.inner().poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.inner().poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// What a name and the spellings of addresses come to is known once they are resolved.
    const PRIVATE: [&str; 5] = ["localhost", "127.0.0.1", "127.1", "::1", "::ffff:127.0.0.1"];

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_request_is_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let request = Request {
            method: "POST",
            url: format!("http://{}/", listener.local_addr().unwrap()),
            headers: String::new(),
            body: None,
            max_answer_bytes: 0,
        };
        let handler = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = [0; 1000];
            assert!(stream.read(&mut bytes).await.unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            timeout(10 * IDLE, stream.read(&mut bytes)).await
        };
        let client = HttpClient::new(trusting_the_system().unwrap(), true, OpenFiles::of(1024, 1));
        let (answer, end) = tokio::join!(client.request(&request, None), handler);
        assert!(answer.unwrap().starts_with("200"));
        assert_eq!(end.expect("it is closed in time").unwrap(), 0);
    }

    fn connector(private: bool) -> Connector {
        Connector { tls: trusting_the_system().unwrap().into(), private, open: OpenFiles::of(1024, 1) }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test(start_paused = true)]
    async fn an_address_that_does_not_answer_is_followed_by_the_next() {
        let listener = |backlog| {
            let address = SocketAddr::from(([127, 0, 0, 1], 0));
            let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
            socket.bind(&address.into()).unwrap();
            socket.listen(backlog).unwrap();
            std::net::TcpListener::from(socket)
        };
        // One waits for its turn to be accepted, so that nothing is said to the next.
        let (silent, good) = (listener(0), listener(8));
        let _waits = std::net::TcpStream::connect(silent.local_addr().unwrap()).unwrap();
        let addresses = [&silent, &silent, &good].map(|listener| listener.local_addr().unwrap());
        let tcp = connector(true).connect_to_one_of(addresses.into()).await.unwrap();
        assert_eq!(tcp.peer_addr().unwrap(), addresses[2]);
    }

    #[tokio::test]
    async fn what_resolves_to_a_private_address_is_not_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in PRIVATE {
            let error = connector(false).connect_to(host, port).await.unwrap_err();
            assert_eq!(error.to_string(), "a private address", "{host}");
        }
        // The first that comes is the one that may.
        connector(true).connect_to("localhost", port).await.unwrap();
        listener.accept().await.unwrap();
        let another = timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(another.is_err(), "it was connected to");
    }
}
