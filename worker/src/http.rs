//! Requests and responses between JavaScript and the pure crates.

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use webpubsub_protocol::rest::{self, METADATA_PREFIX, Refusal};
use webpubsub_service::{DROP_LIMIT, DROP_PAUSE, MAX_DROPPED_BYTES, TaskHead, encode_answer};
use worker::web_sys::{Headers, Request, Response, WebSocket};

use crate::platform;
use crate::promise::settled;

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
    /// What [`Incoming::read`](webpubsub_service::gateway::Incoming::read) reads.
    #[wasm_bindgen(js_name = requestHead)]
    pub(crate) fn request_head(request: &Request) -> String;

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

/// Answers a request when what is left of its body has been read and dropped, within the limits of
/// [`MAX_DROPPED_BYTES`]: beyond them the platform ends the connection with the answer, and says so in
/// `Connection: close`.
pub(crate) async fn answer_after_body(request: &Request, answer: Response) -> platform::Result<Response> {
    let status = answer.status();
    if status == 101 || !has_unread_body(request, status >= 400) {
        return Ok(answer);
    }
    // It never fails.
    let [pause, limit] = [DROP_PAUSE, DROP_LIMIT].map(|time| time.as_millis() as f64);
    let _ = settled(drop_body(request, MAX_DROPPED_BYTES, pause, limit)).await;
    Ok(answer)
}

/// The whole body of a message, whose length is the value of `Content-Length`, or empty for none. If it is longer than
/// `most` bytes, the rest is not read.
pub(crate) async fn message_body(
    request: &Request,
    length: &str,
    most: usize,
) -> platform::Result<Result<Uint8Array, Refusal>> {
    let Ok(length) = length.parse() else {
        let body = settled(read_body(request, most)).await?;
        return Ok(body.dyn_into().map_err(|_| Refusal::TooLong));
    };
    if let Err(refusal) = rest::check_length(length, most) {
        return Ok(Err(refusal));
    }
    Ok(Ok(Uint8Array::new(&settled(request.array_buffer()?).await?)))
}

/// What a shard is given of a request beside its body.
pub(crate) fn head_of_task(request: &Request) -> TaskHead {
    TaskHead(task_head(request, METADATA_PREFIX))
}

/// The bytes of a body that is read nowhere else.
pub(crate) fn take_bytes(body: &Uint8Array) -> Vec<u8> {
    let bytes = body.to_vec();
    free_bytes(body);
    bytes
}
