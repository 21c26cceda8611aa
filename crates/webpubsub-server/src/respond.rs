//! Responses.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::http::response::Builder;
use hyper::{Response, StatusCode};
use webpubsub_protocol::rest;

/// A response of the service's crate.
pub(crate) fn respond(rest::Response { status, headers, body }: rest::Response) -> Response<Full<Bytes>> {
    let built =
        headers.into_iter().fold(Response::builder().status(status), |built: Builder, (name, value)| {
            built.header(name, &*value)
        });
    built.body(Full::from(body)).unwrap_or_else(|_| text(StatusCode::INTERNAL_SERVER_ERROR, ""))
}

/// A response with a line of text.
pub(crate) fn text(status: StatusCode, words: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(words));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// The same response, and nothing after it on its connection.
pub(crate) fn close(mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
