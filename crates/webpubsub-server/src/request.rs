//! One request from outside: its head, and its body, which is read within limits.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, TRANSFER_ENCODING};
use hyper::http::Version;
use hyper::http::request::Parts;
use tokio::time::{Instant, timeout_at};
use webpubsub_protocol::rest::{self, Refusal};
use webpubsub_protocol::url::RequestUrl;
use webpubsub_service::{DROP_LIMIT, DROP_PAUSE, MAX_DROPPED_BYTES};

use crate::message_timer::MESSAGE_TIME;

/// How long the sender of a body that is needed may pause, within [`MESSAGE_TIME`] for all of it.
const READ_PAUSE: Duration = Duration::from_secs(30);

/// A connection whose request had a longer head than this has no further one: the memory that the head was read to stays
/// with it.
const MAX_KEPT_HEAD_BYTES: usize = 16 << 10;

/// A request.
pub(crate) struct Request {
    pub(crate) head: Parts,
    /// The address that its connection comes from; empty where it is not known.
    pub(crate) address: String,
    scheme: &'static str,
    /// As it was written: what the request names, or its header. Empty where HTTP/1.0 names none.
    host: String,
    /// `None` once it was read.
    body: RefCell<Option<Incoming>>,
    /// Whether its end will not be found.
    is_cut_off: Cell<bool>,
}

/// Whether a byte is in no host: it ends one in a URL, or some readers of URLs take it for the beginning or the end of
/// one (RFC 3986, section 3.2).
const fn is_in_no_host(byte: u8) -> bool {
    matches!(byte, b'/' | b'?' | b'#' | b'*' | b'@' | b'\\' | b' ' | b'\t')
}

/// The refusal of a body that does not come as its head says, or not in time.
const CUT_OFF: Refusal = Refusal::Parameter {
    name: "body",
    rule: "It has to come whole, in the chunks or with the length that the head says.",
};

/// Why a request is not looked at: it has no URL, as far as the service is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoUrl;

impl Request {
    /// A request that came by this scheme from this address.
    ///
    /// # Errors
    /// It names several hosts, or one that is none; or none, as only HTTP/1.0 may (RFC 9112, sections 3.2 and 3.3).
    pub(crate) fn new(
        scheme: &'static str,
        address: &str,
        request: hyper::Request<Incoming>,
    ) -> Result<Self, NoUrl> {
        let (head, body) = request.into_parts();
        let mut hosts = head.headers.get_all(HOST).iter();
        let host = match (head.uri.authority(), hosts.next(), hosts.next()) {
            (_, _, Some(_)) => return Err(NoUrl),
            (Some(authority), ..) => authority.as_str(),
            (None, Some(host), None) => host.to_str().map_err(|_| NoUrl)?,
            (None, None, None) => "",
        };
        let may_be_without = head.version == Version::HTTP_10;
        if head.uri.path_and_query().is_none()
            || host.is_empty() && !may_be_without
            || host.bytes().any(is_in_no_host)
        {
            return Err(NoUrl);
        }
        Ok(Self {
            address: address.to_owned(),
            scheme,
            host: host.to_owned(),
            head,
            body: RefCell::new(Some(body)),
            is_cut_off: Cell::new(false),
        })
    }

    /// The request as the service's crate sees it.
    pub(crate) fn incoming(&self) -> webpubsub_service::gateway::Incoming<'_> {
        let Self { scheme, host, head, .. } = self;
        webpubsub_service::gateway::Incoming {
            method: head.method.as_str(),
            url: RequestUrl { scheme, host, path: head.uri.path(), query: head.uri.query() },
            authorization: self.header(&AUTHORIZATION).unwrap_or_default(),
        }
    }

    /// Whether its body has another coding than chunks, or beside them.
    pub(crate) fn is_coded(&self) -> bool {
        let mut codings = self.head.headers.get_all(TRANSFER_ENCODING).iter();
        let chunked = codings.next().is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
        !chunked || codings.next().is_some()
    }

    /// Whether its head was so long that its connection is to end.
    pub(crate) fn has_long_head(&self) -> bool {
        let Parts { uri, headers, .. } = &self.head;
        let target = uri.path_and_query().map_or(0, |target| target.as_str().len());
        let lines = headers.iter().map(|(name, value)| name.as_str().len() + value.len());
        target + lines.sum::<usize>() > MAX_KEPT_HEAD_BYTES
    }

    /// A header that is text.
    pub(crate) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// The whole body, unless it is longer than so many bytes: then the rest is not read.
    pub(crate) async fn body(&self, most: usize) -> Result<Vec<u8>, Refusal> {
        // A length that is no number was refused with the head.
        if let Some(length) = self.header(&CONTENT_LENGTH).and_then(|length| length.parse().ok()) {
            rest::check_length(length, most)?;
        }
        let Some(mut body) = self.body.borrow_mut().take() else { return Ok(Vec::new()) };
        let (end, mut read) = (Instant::now() + MESSAGE_TIME, Vec::new());
        while !body.is_end_stream() {
            match timeout_at(end.min(Instant::now() + READ_PAUSE), body.frame()).await {
                Ok(Some(Ok(frame))) => {
                    let Some(piece) = frame.data_ref() else { continue };
                    if let Err(refusal) = rest::check_length(read.len() + piece.len(), most) {
                        *self.body.borrow_mut() = Some(body);
                        return Err(refusal);
                    }
                    read.extend_from_slice(piece);
                }
                Ok(None) => return Ok(read),
                Ok(Some(Err(_))) | Err(_) => {
                    self.is_cut_off.set(true);
                    return Err(CUT_OFF);
                }
            }
        }
        Ok(read)
    }

    /// Reads and drops what is left of the body, within the limits of [`MAX_DROPPED_BYTES`]. Returns whether nothing is
    /// left.
    pub(crate) async fn drop_body(&self) -> bool {
        if self.is_cut_off.get() {
            return false;
        }
        let Some(mut body) = self.body.borrow_mut().take() else { return true };
        // A sender that waits for 100 sends nothing before it.
        let waits = || self.header(&EXPECT).is_some_and(|value| value.eq_ignore_ascii_case("100-continue"));
        if body.is_end_stream() || waits() {
            return body.is_end_stream();
        }
        let (end, mut dropped) = (Instant::now() + DROP_LIMIT, 0);
        loop {
            let until = end.min(Instant::now() + DROP_PAUSE);
            match timeout_at(until, body.frame()).await {
                Ok(Some(Ok(frame))) => {
                    dropped += frame.data_ref().map_or(0, bytes::Bytes::len);
                    if dropped > MAX_DROPPED_BYTES {
                        return false;
                    }
                }
                Ok(None) => return true,
                Ok(Some(Err(_))) | Err(_) => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use bytes::Bytes;
    use http_body_util::Full;
    use hyper::Response;
    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncWriteExt as _, duplex};
    use tokio::sync::mpsc;
    use tokio::time::sleep;

    use super::*;

    /// What a body of so many bytes comes to, each of which comes after a pause: how many there are unless it is refused, and
    /// after how many seconds.
    async fn read(bytes: usize, pause: Duration) -> (Option<usize>, u64) {
        let (mut peer, stream) = duplex(1 << 10);
        let (done, mut is_done) = mpsc::unbounded_channel();
        let began = Instant::now();
        let service = service_fn(|request| {
            let done = done.clone();
            async move {
                let request = Request::new("http", "", request).unwrap();
                let body = request.body(1 << 20).await.map(|body| body.len());
                done.send((body.ok(), began.elapsed().as_secs())).unwrap();
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
            }
        });
        let head = format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {bytes}\r\n\r\n");
        let sending = async {
            peer.write_all(head.as_bytes()).await.unwrap();
            for _ in 0..bytes {
                sleep(pause).await;
                let _ = peer.write_all(b"b").await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            biased;
            outcome = is_done.recv() => outcome.unwrap(),
            _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service) => panic!("it has ended"),
            () = sending => panic!("it has ended"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_has_its_time_however_often_a_byte_comes() {
        let pause = READ_PAUSE / 2;
        assert_eq!(MESSAGE_TIME, 20 * pause);
        assert_eq!(read(19, pause).await, (Some(19), 19 * pause.as_secs()));
        assert_eq!(read(30, pause).await, (None, MESSAGE_TIME.as_secs()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_pauses_for_too_long_is_not_waited_for() {
        assert_eq!(read(3, 2 * READ_PAUSE).await, (None, READ_PAUSE.as_secs()));
    }
}
