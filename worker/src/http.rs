//! Requests and responses between JavaScript and the pure crates.

use std::iter;

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use webpubsub_protocol::limits::MAX_REST_MESSAGE_BYTES;
use webpubsub_protocol::rest::{self, METADATA_PREFIX, Refusal};
use webpubsub_protocol::url::RequestUrl;
use webpubsub_service::encode_answer;
use webpubsub_service::gateway::Incoming;
use worker::web_sys::{Headers, Request, Response, WebSocket};

use crate::platform;
use crate::task::settled;

#[wasm_bindgen(module = "worker/js/respond.ts")]
extern "C" {
    #[wasm_bindgen(catch)]
    fn respond(answer: &str) -> Result<Response, JsValue>;

    #[wasm_bindgen(catch, js_name = switchTo)]
    fn switch_to(socket: &WebSocket, subprotocol: Option<&str>) -> Result<Response, JsValue>;

    #[wasm_bindgen(js_name = webSocket)]
    pub(crate) fn web_socket(response: &Response) -> Option<WebSocket>;
}

#[wasm_bindgen(module = "worker/js/headers.ts")]
extern "C" {
    #[wasm_bindgen(js_name = requestHead)]
    fn request_head(request: &Request) -> String;

    #[wasm_bindgen(js_name = taskHead)]
    fn task_head(request: &Request, prefix: &str) -> String;

    /// The address that a request's connection comes from; empty where it is not known.
    #[wasm_bindgen(js_name = addressOf)]
    pub(crate) fn address_of(request: &Request) -> String;

    #[wasm_bindgen(js_name = headersWithPrefix)]
    pub(crate) fn headers_with_prefix(headers: &Headers, prefix: &str) -> Vec<String>;
}

#[wasm_bindgen(module = "worker/js/body.ts")]
extern "C" {
    #[wasm_bindgen(js_name = hasUnreadBody)]
    fn has_unread_body(request: &Request, refused: bool) -> bool;

    #[wasm_bindgen(js_name = dropBody)]
    fn drop_body(request: &Request, most: usize, pause: f64, limit: f64) -> Promise;

    #[wasm_bindgen(js_name = readBody)]
    fn read_body(request: &Request, limit: usize) -> Promise;

    #[wasm_bindgen(js_name = freeBytes)]
    pub(crate) fn free_bytes(bytes: &Uint8Array);

    #[wasm_bindgen(js_name = textInCharset)]
    pub(crate) fn text_in_charset(label: &str, bytes: &[u8]) -> Option<String>;
}

/// What [`Incoming`] says of a request, as one text.
pub(crate) struct Head(String);

impl Head {
    pub(crate) fn of(request: &Request) -> Self {
        Self(request_head(request))
    }

    /// `None` if the request has no absolute URL.
    pub(crate) fn incoming(&self) -> Option<Incoming<'_>> {
        let (line, authorization) = self.0.split_once('\n')?;
        let (method, url) = line.split_once(' ')?;
        Some(Incoming { method, url: RequestUrl::split(url)?, authorization })
    }
}

/// The answer to an upgrade that ends in `socket`.
pub(crate) fn switch_protocols(socket: &WebSocket, subprotocol: Option<&str>) -> platform::Result<Response> {
    Ok(switch_to(socket, subprotocol)?)
}

/// A response with a line of text, or with none.
pub(crate) fn text(status: u16, body: &str) -> platform::Result<Response> {
    let media_type = if body.is_empty() { "" } else { "\nContent-Type:text/plain; charset=utf-8" };
    answer(&format!("{status}{media_type}\n\n{body}"))
}

/// A response of the REST API.
pub(crate) fn rest(response: rest::Response) -> platform::Result<Response> {
    answer(&encode_answer(response))
}

/// The response that an answer of a shard's stands for.
pub(crate) fn answer(text: &str) -> platform::Result<Response> {
    Ok(respond(text)?)
}

/// The most bytes that are read of a body that is not needed.
const MAX_DROPPED_BYTES: usize = 8 << 20;
/// How many milliseconds the sender of such a body may pause.
const DROP_PAUSE_MS: f64 = 1_000.0;
/// For how many milliseconds such a body is read.
const DROP_LIMIT_MS: f64 = 5_000.0;

/// Answers a request when what is left of its body has been read and dropped: a connection that still
/// has a body to carry can take no other request, and one that is closed with bytes unread may lose the
/// answer. Of a body above [`MAX_DROPPED_BYTES`], and of one that comes slowly, the rest is not
/// waited for: the platform then ends the connection with the answer, and says so in `Connection: close`.
pub(crate) async fn answer_after_body(request: &Request, answer: Response) -> platform::Result<Response> {
    let status = answer.status();
    if status == 101 || !has_unread_body(request, status >= 400) {
        return Ok(answer);
    }
    // It never fails.
    let _ = settled(drop_body(request, MAX_DROPPED_BYTES, DROP_PAUSE_MS, DROP_LIMIT_MS)).await;
    Ok(answer)
}

/// The whole body of a message, whose length is the value of `Content-Length`, or empty for none. If it is too long,
/// the rest is not read.
pub(crate) async fn message_body(
    request: &Request,
    length: &str,
) -> platform::Result<Result<Uint8Array, Refusal>> {
    let Ok(length) = length.parse() else {
        let body = settled(read_body(request, MAX_REST_MESSAGE_BYTES)).await?;
        return Ok(body.dyn_into().map_err(|_| Refusal::TooLong));
    };
    if let Err(refusal) = rest::check_length(length) {
        return Ok(Err(refusal));
    }
    Ok(Ok(Uint8Array::new(&settled(request.array_buffer()?).await?)))
}

/// What a shard is given of a request beside its body, as one text.
pub(crate) struct TaskHead(pub(crate) String);

impl TaskHead {
    pub(crate) fn of(request: &Request) -> Self {
        Self(task_head(request, METADATA_PREFIX))
    }

    fn line(&self, number: usize) -> &str {
        self.0.split('\n').nth(number).unwrap_or_default()
    }

    /// The method, and the URL, which is the one that the caller was authorised for, or leads to a part of what that
    /// asks for.
    pub(crate) fn asked(&self) -> Option<(&str, RequestUrl<'_>)> {
        let (method, url) = self.line(0).split_once(' ')?;
        Some((method, RequestUrl::split(url)?))
    }

    /// Empty for none.
    pub(crate) fn content_type(&self) -> &str {
        self.line(1)
    }

    /// The value of `Content-Length`; empty for none.
    pub(crate) fn length(&self) -> &str {
        self.line(2)
    }

    /// The headers that may be a message's metadata.
    pub(crate) fn metadata(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut lines = self.0.split('\n').skip(3);
        iter::from_fn(move || lines.next().zip(lines.next()))
    }

    /// The same with this path and query.
    pub(crate) fn with_path(&self, path: &str) -> String {
        let (line, rest) = self.0.split_once('\n').unwrap_or_default();
        let (method, _) = line.split_once(' ').unwrap_or_default();
        format!("{method} https://object{path}\n{rest}")
    }
}

/// The bytes of a body that is read nowhere else.
pub(crate) fn take_bytes(body: &Uint8Array) -> Vec<u8> {
    let bytes = body.to_vec();
    free_bytes(body);
    bytes
}
