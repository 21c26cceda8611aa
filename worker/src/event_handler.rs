//! Requests to event handlers: the handshake, the events, and what becomes of them.

use std::cell::RefCell;
use std::time::Duration;

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use webpubsub_hub::{Call, HandlerAuth, HandlerSecret};
use webpubsub_protocol::event_handler::{CallFailure, HandlerAnswer, is_public, validation};
use webpubsub_protocol::json::{Json, Members, Writer};
use webpubsub_protocol::limits::MAX_HANDLER_ANSWER_BYTES;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest::{Charset, ContentKind, parse_content_type};
use webpubsub_protocol::time::Timestamp;
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Env, Error, Headers, Result};

use crate::config::Config;
use crate::hub_directory::internal;
use crate::objects::{Objects, Question};
use crate::perform::now;
use crate::{http, log};

#[wasm_bindgen(inline_js = r#"
export async function callHandler(method, url, headers, body, limit, most) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), limit);
  let failure = 0;
  try {
    const init = { method, body: body?.slice(), redirect: "manual", signal: controller.signal };
    const request = new Request(url, init);
    for (let i = 0; i < headers.length; i += 2) request.headers.set(headers[i], headers[i + 1]);
    failure = 1;
    const answer = await fetch(request);
    const chunks = [];
    let left = answer.ok ? most : Math.min(most, 65536);
    if (left === 0) await answer.body?.cancel();
    else {
      for await (const chunk of answer.body ?? []) {
        left -= chunk.length;
        if (left < 0) break;
        chunks.push(chunk);
      }
    }
    if (left < 0 && answer.ok) return [2];
    const metadata = [];
    for (const [name, value] of answer.headers) {
      if (name.startsWith("x-webpubsub-metadata-")) metadata.push([name.slice(21), value]);
    }
    const header = (name) => answer.headers.get(name);
    let state = header("ce-connectionState");
    // Repeated ones come joined. In base64 there are no commas; what else has some is one.
    if (/^[\w+/=-]*(, ?[\w+/=-]*)+$/.test(state)) state = state.replace(/.*, ?/, "");
    const head = {
      status: answer.status,
      type: header("content-type"),
      allowed: header("webhook-allowed-origin"),
      state,
      cookies: answer.headers.getSetCookie(),
      metadata,
    };
    return [JSON.stringify(head), new Uint8Array(await new Blob(chunks).arrayBuffer())];
  } catch {
    return [controller.signal.aborted ? 3 : failure];
  } finally {
    clearTimeout(timer);
  }
}
"#)]
extern "C" {
    /// Makes a request, `headers` being name, value, name, value, …. Gives what it came to as
    /// [`read`] reads it. Of an answer that is no success no more is read than that there are words
    /// in it; with `most` being 0, nothing of any.
    #[wasm_bindgen(js_name = callHandler)]
    fn call_handler(
        method: &str,
        url: &str,
        headers: Vec<String>,
        body: Option<&[u8]>,
        limit: f64,
        most: usize,
    ) -> Promise;
}

/// An answer, or why there is none.
pub(crate) type Answered = std::result::Result<HandlerAnswer, CallFailure>;

/// How long a handshake may take.
///
/// Source: `CloudEvents` spec, section 2.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// How long a shard or a Worker goes by what the directory said of a handshake that succeeded,
const HELD_FOR: Duration = Duration::from_secs(10);
/// and of how many.
const MAX_HELD: usize = 100;

thread_local! {
    static HELD: RefCell<Vec<(String, Timestamp)>> = const { RefCell::new(Vec::new()) };
}

/// Posts an event as soon as the handshake with its handler has taken place.
pub(crate) async fn post(call: &Call, hub: &HubName, env: &Env, config: &Config) -> Answered {
    let since = now();
    check_public(&call.url, config)?;
    match is_validated(&call.validate, &call.origin, call.limit, hub, env).await {
        Ok(true) => {}
        Ok(false) => return Err(CallFailure::NotValidated),
        Err(error) => {
            log::failure("asking for a handshake", &error);
            return Err(CallFailure::Network);
        }
    }
    send(call, call.limit.saturating_sub(now().since(since)), env, config).await
}

/// Posts an event: signed, and with the handler's credentials.
pub(crate) async fn send(call: &Call, limit: Duration, env: &Env, config: &Config) -> Answered {
    let mut headers = Vec::new();
    let mut reads = false;
    for (name, value) in &call.request.headers {
        reads |= name == "ce-type" && (value.ends_with(".sys.connect") || value.contains(".user."));
        headers.extend([name.clone(), value.clone()]);
    }
    headers.extend(["ce-signature".to_owned(), config.keys.signature(&call.connection)]);
    if let Some(auth) = &call.auth {
        headers.extend(credentials(auth, env).ok_or(CallFailure::Unsendable)?);
    }
    let most = if reads { MAX_HANDLER_ANSWER_BYTES } else { 0 };
    let (answer, _) = request("POST", &call.url, headers, Some(&call.request.body), limit, most).await?;
    Ok(answer)
}

/// What became of a handshake.
pub(crate) struct Handshake {
    /// Whether the handler wants events.
    pub(crate) allowed: bool,
    /// The last answer.
    pub(crate) answered: Answered,
    /// What is to be kept of the attempts, see [`delivery`].
    pub(crate) deliveries: Vec<String>,
}

/// Asks a handler whether it wants events of this service.
///
/// Source: `CloudEvents` spec, section 2.
pub(crate) async fn handshake(url: &str, origin: &str, limit: Duration, config: &Config) -> Handshake {
    let mut deliveries = Vec::new();
    let until = now().after(HANDSHAKE_LIMIT.min(limit));
    for (method, attempt) in [("OPTIONS", 1), ("GET", 2)] {
        let since = now();
        let mut allows = false;
        let answered = match check_public(url, config) {
            Ok(()) => {
                let headers = ["WebHook-Request-Origin", origin, "ce-awpsversion", "1.0"];
                let headers = headers.map(str::to_owned).to_vec();
                request(method, url, headers, None, until.since(since), 0).await
            }
            Err(failure) => Err(failure),
        };
        let answered = answered.map(|(answer, allowed)| {
            allows = validation::allows(answer.status, &[allowed], origin);
            answer
        });
        deliveries.push(delivery(since, validation::EVENT, None, attempt, url, &answered));
        if attempt == 2 || !matches!(&answered, Ok(answer) if answer.status == 404) {
            return Handshake { allowed: allows, answered, deliveries };
        }
    }
    Handshake { allowed: false, answered: Err(CallFailure::Network), deliveries }
}

/// What is kept of an attempt: nothing of the URL's query, of headers or payloads.
pub(crate) fn delivery(
    since: Timestamp,
    event: &str,
    connection: Option<&str>,
    attempt: u8,
    url: &str,
    answered: &Answered,
) -> String {
    let (url, _) = url.split_once('?').unwrap_or((url, ""));
    let (status, error) = match answered {
        Ok(answer) if answer.is_success() => (Some(answer.status), None),
        Ok(answer) => (Some(answer.status), Some(CallFailure::Status(answer.status))),
        Err(failure) => (None, Some(*failure)),
    };
    let mut delivery = Writer::object();
    delivery
        .number("time", since.as_millis())
        .text("event", event)
        .text_or_null("connectionId", connection)
        .number("attempt", attempt.into())
        .text("url", url);
    match status {
        Some(status) => delivery.number("status", status.into()),
        None => delivery.json("status", "null"),
    };
    let took = u64::try_from(now().since(since).as_millis()).unwrap_or(u64::MAX);
    delivery.number("durationMs", took).text_or_null("error", error.map(CallFailure::name));
    delivery.finish()
}

/// Whether a URL may be called from here.
fn check_public(url: &str, config: &Config) -> std::result::Result<(), CallFailure> {
    if config.private_handlers || is_public(url) { Ok(()) } else { Err(CallFailure::NotPublic) }
}

/// The header that a handler knows the service by; `None` where there is no such secret.
fn credentials(auth: &HandlerAuth, env: &Env) -> Option<[String; 2]> {
    let secret = match &auth.secret {
        HandlerSecret::Text(text) => text.clone(),
        HandlerSecret::Named(name) => env.var(name).ok()?.to_string(),
    };
    Some([auth.header.clone(), [auth.scheme, &secret].concat()])
}

/// Has the hub's directory see to it that the handshake with a URL has taken place.
async fn is_validated(url: &str, origin: &str, limit: Duration, hub: &HubName, env: &Env) -> Result<bool> {
    let mut asked = Writer::object();
    asked.text("url", url).text("origin", origin);
    let key = asked.clone().finish();
    let since = now();
    let is_held = HELD.with_borrow_mut(|held| {
        held.retain(|(_, until)| *until > since);
        held.iter().any(|(known, _)| *known == key)
    });
    if is_held {
        return Ok(true);
    }
    asked.number("limit", u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
    let answer = ask_directory(env, hub, internal::VALIDATION, "POST", &asked.finish()).await?;
    match answer {
        204 => {
            HELD.with_borrow_mut(|held| {
                held.truncate(MAX_HELD - 1);
                held.push((key, since.after(HELD_FOR)));
            });
            Ok(true)
        }
        403 => Ok(false),
        _ => Err(Error::RustError("the directory failed".to_owned())),
    }
}

/// Tells the hub's directory what became of an attempt.
pub(crate) async fn report(env: Env, hub: HubName, delivery: String) {
    if let Err(error) = ask_directory(&env, &hub, internal::DELIVERIES, "POST", &delivery).await {
        log::failure("keeping a delivery", &error);
    }
}

/// Asks a hub's directory; gives the status of its answer.
async fn ask_directory(env: &Env, hub: &HubName, path: &str, method: &str, body: &str) -> Result<u16> {
    let headers = Headers::new();
    let question = Question { path, method, headers: &headers.0, body: JsValue::from_str(body) };
    let answer = Objects::directories(env)?.ask(vec![hub.to_string()], question).await?.pop();
    Ok(answer.map_or(0, |answer| answer.status_code()))
}

/// Makes a request. Gives the answer, and its `WebHook-Allowed-Origin`.
async fn request(
    method: &str,
    url: &str,
    headers: Vec<String>,
    body: Option<&[u8]>,
    limit: Duration,
    most: usize,
) -> std::result::Result<(HandlerAnswer, String), CallFailure> {
    let limit = limit.as_millis() as f64;
    let answered = JsFuture::from(call_handler(method, url, headers, body, limit, most)).await;
    // It catches what is thrown.
    let answered: Array = answered.map_err(|_| CallFailure::Network)?.unchecked_into();
    read(&answered)
}

/// Reads an answer: its head as JSON and its body, or the number of a failure.
fn read(answered: &Array) -> std::result::Result<(HandlerAnswer, String), CallFailure> {
    let head = answered.get(0);
    let Some(text) = head.as_string() else {
        return Err(match head.as_f64() {
            Some(1.0) => CallFailure::Network,
            Some(2.0) => CallFailure::TooLarge,
            Some(3.0) => CallFailure::TimedOut,
            Some(_) | None => CallFailure::Unsendable,
        });
    };
    let head = Members::parse(&text).ok_or(CallFailure::Unreadable)?;
    let text = |name| head.get(name).and_then(Json::text).map(|text| text.into_owned());
    let metadata = head.get("metadata").and_then(Json::elements).unwrap_or_default();
    let metadata =
        metadata.into_iter().filter_map(Json::texts).filter_map(|pair| <[String; 2]>::try_from(pair).ok());
    let mut answer = HandlerAnswer {
        status: head
            .get("status")
            .and_then(Json::unsigned)
            .and_then(|status| u16::try_from(status).ok())
            .unwrap_or(0),
        content_type: text("type"),
        state: text("state"),
        cookies: head.get("cookies").and_then(Json::texts).unwrap_or_default(),
        metadata: metadata.map(|[name, value]| (name, value)).collect(),
        body: answered.get(1).unchecked_into::<Uint8Array>().to_vec(),
    };
    if let Ok(ContentKind::Text(Charset::Label(label))) = parse_content_type(answer.content_type.as_deref())
        && let Some(text) = http::text_in_charset(&label, &answer.body)
    {
        answer.body = text.into_bytes();
    }
    Ok((answer, text("allowed").unwrap_or_default()))
}
