//! Requests and responses between JavaScript and the pure crates.

use std::iter;

use js_sys::{ArrayBuffer, Promise, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use webpubsub_protocol::limits::MAX_REST_MESSAGE_BYTES;
use webpubsub_protocol::rest::{self, METADATA_PREFIX, Refusal};
use webpubsub_protocol::url::RequestUrl;
use webpubsub_service::ObjectResponse;
use webpubsub_service::gateway::Incoming;
use worker::web_sys::{Headers, Request, Response, WebSocket};

use crate::platform;
use crate::task::settled;

#[wasm_bindgen(module = "worker/js/respond.ts")]
extern "C" {
    #[wasm_bindgen(catch)]
    fn respond(status: u16, headers: &str, body: Option<&str>) -> Result<Response, JsValue>;

    #[wasm_bindgen(catch, js_name = switchTo)]
    fn switch_to(socket: &WebSocket, subprotocol: Option<&str>) -> Result<Response, JsValue>;

    #[wasm_bindgen(js_name = webSocket)]
    pub(crate) fn web_socket(response: &Response) -> Option<WebSocket>;
}

#[wasm_bindgen(module = "worker/js/headers.ts")]
extern "C" {
    #[wasm_bindgen(js_name = requestHead)]
    fn request_head(request: &Request) -> String;

    #[wasm_bindgen(js_name = messageHead)]
    fn read_message_head(request: &Request, prefix: &str) -> String;

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
    if body.is_empty() {
        Ok(respond(status, "", None)?)
    } else {
        with_type(status, "text/plain; charset=utf-8", body)
    }
}

/// A response with a body of this media type.
fn with_type(status: u16, media_type: &str, body: &str) -> platform::Result<Response> {
    Ok(respond(status, &format!("Content-Type\n{media_type}\n"), Some(body))?)
}

/// What an object answers to a call.
pub(crate) fn object(ObjectResponse { status, body }: ObjectResponse) -> platform::Result<Response> {
    text(status, &body)
}

/// A response of the REST API.
pub(crate) fn rest(response: rest::Response) -> platform::Result<Response> {
    let rest::Response { status, headers, body } = response;
    let mut lines = String::new();
    for (name, value) in headers {
        lines.extend([name, "\n", &value, "\n"]);
    }
    Ok(respond(status, &lines, Some(&*body).filter(|body| !body.is_empty()))?)
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

/// The text of a request or a response, which is on its way.
pub(crate) async fn body_text(body: Result<Promise, JsValue>) -> platform::Result<String> {
    Ok(settled(body?).await?.as_string().unwrap_or_default())
}

/// The whole body of a message, which may be `read` already, unless it is too long: then the rest is not
/// read.
pub(crate) async fn message_body(
    request: &Request,
    read: Option<ArrayBuffer>,
) -> platform::Result<Result<Uint8Array, Refusal>> {
    let length = request.headers().get("Content-Length")?;
    body_of_length(request, read, length.as_deref().unwrap_or_default()).await
}

/// The same, where it is not `read` already, by the value of `Content-Length`, which is empty for none.
async fn body_of_length(
    request: &Request,
    read: Option<ArrayBuffer>,
    length: &str,
) -> platform::Result<Result<Uint8Array, Refusal>> {
    if let Some(body) = read {
        return Ok(Ok(Uint8Array::new(&body)));
    }
    let Ok(length) = length.parse() else {
        let body = settled(read_body(request, MAX_REST_MESSAGE_BYTES)).await?;
        return Ok(body.dyn_into().map_err(|_| Refusal::TooLong));
    };
    if let Err(refusal) = rest::check_length(length) {
        return Ok(Err(refusal));
    }
    Ok(Ok(Uint8Array::new(&settled(request.array_buffer()?).await?)))
}

/// What stands before a request's body, if that is needed.
#[derive(Default)]
pub(crate) struct BodyHead(String);

impl BodyHead {
    pub(crate) fn of(request: &Request) -> Self {
        Self(read_message_head(request, METADATA_PREFIX))
    }

    pub(crate) fn content_type(&self) -> Option<&str> {
        self.0.split('\n').next()
    }

    /// The headers that may be a message's metadata.
    pub(crate) fn metadata(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut lines = self.0.split('\n').skip(2);
        iter::from_fn(move || lines.next().zip(lines.next()))
    }

    /// The whole body, as [`message_body`] has it.
    pub(crate) async fn body(
        &self,
        request: &Request,
        read: Option<ArrayBuffer>,
    ) -> platform::Result<Result<Uint8Array, Refusal>> {
        body_of_length(request, read, self.0.split('\n').nth(1).unwrap_or_default()).await
    }
}

/// The bytes of a body that is read nowhere else.
pub(crate) fn take_bytes(body: &Uint8Array) -> Vec<u8> {
    let bytes = body.to_vec();
    free_bytes(body);
    bytes
}
