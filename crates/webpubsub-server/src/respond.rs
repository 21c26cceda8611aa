//! Responses.

use std::borrow::Cow;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use webpubsub_protocol::rest;

/// A response of the service's crate.
pub(crate) fn respond(rest::Response { status, headers, body }: rest::Response) -> Response<Full<Bytes>> {
    let Ok(status) = StatusCode::from_u16(status) else { return failure() };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    for (name, value) in headers {
        let value = match value {
            Cow::Borrowed(value) => Bytes::from_static(value.as_bytes()),
            Cow::Owned(value) => value.into(),
        };
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_maybe_shared(value))
        else {
            return failure();
        };
        response.headers_mut().append(name, value);
    }
    response
}

/// The response in the place of one that cannot be written.
fn failure() -> Response<Full<Bytes>> {
    text(StatusCode::INTERNAL_SERVER_ERROR, "")
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
