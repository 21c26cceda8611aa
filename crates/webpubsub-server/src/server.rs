//! HTTP: a connection's requests, one after the other, and what they are answered with.

use std::cell::Cell;
use std::convert::Infallible;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::UPGRADE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Response, StatusCode, Version};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, interval_at};
use webpubsub_service::gateway::{Answer, Gateway};

use crate::gateway_host::{ObjectAnswer, RequestHost};
use crate::handshake::{self, Handshake};
use crate::head_timer::{HeadTimer, LOOK};
use crate::offered_socket::refuse;
use crate::open_files::Opened;
use crate::request::Request;
use crate::respond::{close, respond, text};
use crate::thread::{Listener, Thread};
use crate::timed::Timed;

/// How long a connection may take for a request's head, and how long it may be without one, to [`LOOK`].
const HEAD: Duration = Duration::from_secs(60);
/// How many bytes a request's head may have.
const MAX_HEAD_BYTES: usize = 160 << 10;

/// Serves a connection.
pub(crate) fn serve(thread: &Rc<Thread>, stream: std::net::TcpStream, listener: Listener, open: Opened) {
    let address =
        stream.peer_addr().map_or_else(|_| String::new(), |peer| peer.ip().to_canonical().to_string());
    // A system that cannot poll another socket drops it.
    let Ok(stream) = TcpStream::from_std(stream) else { return };
    let thread = Rc::clone(thread);
    tokio::task::spawn_local(async move {
        let _open = open;
        match (listener, &thread.tls) {
            (Listener::Http, _) => serve_stream(&thread, stream, "http", &address).await,
            (Listener::Https, Some(tls)) => {
                // A handshake that fails is the client's affair: it knows why.
                if let Ok(stream) = tls.accept(stream).await {
                    serve_stream(&thread, stream, "https", &address).await;
                }
            }
            (Listener::Https, None) => {}
        }
    });
}

async fn serve_stream<S>(thread: &Rc<Thread>, stream: S, scheme: &'static str, address: &str)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service =
        service_fn(
            |request| async move { Ok::<_, Infallible>(answer(thread, scheme, address, request).await) },
        );
    let head = thread.long_heads.head();
    let connection = http1::Builder::new()
        .timer(HeadTimer(Arc::clone(&head)))
        .header_read_timeout(HEAD)
        .max_buf_size(MAX_HEAD_BYTES)
        // A body is not copied behind its head, where the memory for it would stay.
        .writev(true)
        // A client that has sent its request may end its side.
        .half_close(true)
        .serve_connection(TokioIo::new(Timed::new(stream, head)), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let mut looks = interval_at(Instant::now() + LOOK, LOOK);
    let mut stopping = thread.stopping.clone();
    let mut stop = pin!(stopping.wait_for(|stopping| *stopping));
    let mut is_stopping = false;
    loop {
        tokio::select! {
            biased;
            // What goes wrong is the client's affair.
            _ = connection.as_mut() => return,
            _ = &mut stop, if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            // The connection looks at its time, too.
            _ = looks.tick() => {}
        }
    }
}

async fn answer(
    thread: &Rc<Thread>,
    scheme: &'static str,
    address: &str,
    mut request: hyper::Request<Incoming>,
) -> Response<Full<Bytes>> {
    if request.version() != Version::HTTP_11 {
        // Only HTTP/1.1 has upgrades (RFC 9110, section 7.8).
        request.headers_mut().remove(UPGRADE);
    }
    let is_upgrade = request.method() == Method::GET && request.headers().contains_key(UPGRADE);
    let upgrade = is_upgrade.then(|| hyper::upgrade::on(&mut request));
    let Ok(request) = Request::new(scheme, address, request) else {
        return close(text(StatusCode::BAD_REQUEST, "The request has no absolute URL."));
    };
    if request.is_coded() {
        request.drop_body().await;
        return close(text(StatusCode::NOT_IMPLEMENTED, "Of all transfer codings, chunked alone is read."));
    }
    let answer = answer_request(thread, &request, upgrade).await;
    let is_at_its_end = request.drop_body().await;
    // A socket's connection has no further request in any case.
    let may_go_on = answer.status() == StatusCode::SWITCHING_PROTOCOLS || !request.has_long_head();
    if is_at_its_end && may_go_on { answer } else { close(answer) }
}

async fn answer_request(
    thread: &Rc<Thread>,
    request: &Request,
    upgrade: Option<OnUpgrade>,
) -> Response<Full<Bytes>> {
    let handshake = match upgrade.map(|upgrade| (Handshake::read(&request.head.headers), upgrade)) {
        Some((Ok(handshake), upgrade)) => handshake.zip(Some(upgrade)),
        Some((Err(problem), _)) => return text(StatusCode::BAD_REQUEST, problem),
        None => None,
    };
    let host = RequestHost { thread, request, task: Cell::new(None) };
    let answer = Gateway::new(&host, &thread.config).answer(request.incoming()).await;
    let (answer, given) = match answer {
        Answer::Respond(response) => return respond(response),
        Answer::Forward(name) => return respond(host.forward(name).await),
        Answer::File => return thread.pages.answer(&request.head),
        Answer::Accept(answer, subprotocol) => (answer, subprotocol),
        Answer::Pass(answer) => (answer, None),
        Answer::AcceptAndClose(cause, subprotocol) => {
            let Some((handshake, upgrade)) = handshake else { return handshake::needed() };
            tokio::task::spawn_local(refuse(thread.open.connection(), upgrade, cause));
            return handshake.accept(subprotocol.as_deref());
        }
    };
    match (answer, handshake) {
        (ObjectAnswer::Response(response), _) => respond(response),
        (ObjectAnswer::Socket(socket), Some((handshake, upgrade))) => {
            let response = handshake.accept(given.as_deref().or(socket.subprotocol()));
            tokio::task::spawn_local(socket.serve(upgrade));
            response
        }
        (ObjectAnswer::Socket(_), None) => handshake::needed(),
    }
}
