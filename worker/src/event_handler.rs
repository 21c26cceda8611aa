//! Requests to event handlers: the handshake, the events, and what becomes of them.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use webpubsub_protocol::data::{MessageData, Metadata};
use webpubsub_protocol::event_handler::{
    CallFailure, Cookies, Delivery, Event, EventRequest, HandlerAnswer, Subject, validation,
};
use webpubsub_protocol::json::{Json, Members, Writer};
use webpubsub_protocol::name::{ConnectionId, EventName, UserId};
use webpubsub_protocol::rest::{Charset, ContentKind, parse_content_type};
use webpubsub_protocol::time::whole_millis;
use webpubsub_service::Config;
use webpubsub_shard::{Attempts, Call, CallId, EventHandler, EventPolicy, HandlerAuth, HandlerSecret};
use worker::Env;

use crate::http::text_in_charset;
use crate::perform::now;
use crate::platform::{sleep, variable};
use crate::task::settled;

#[wasm_bindgen(inline_js = r#"
import { waitUntil } from "cloudflare:workers";

/** How much of all answers that are being read there may be at once, and how much there is. */
const MOST_AT_ONCE = 64 << 20;
let atOnce = 0;
/** In how large pieces a body is read. */
const PIECE = 65536;

/**
 * Makes a request; `headers` are a name or a value a line. Of a successful answer's body `most` bytes are handed to
 * `take` as they come, with how many are expected in all. Resolves with what it came to; who aborts the `controller`
 * says why.
 */
async function request(method, url, headers, body, limit, most, take, controller = new AbortController()) {
  const time = Date.now();
  const timer = setTimeout(() => controller.abort("TimedOut"), limit);
  const cameTo = (what) => ({ time, durationMs: Date.now() - time, ...what });
  let failure = "Unsendable";
  let read = 0;
  try {
    const asked = new Request(url, { method, body, redirect: "manual", signal: controller.signal });
    const lines = headers.split("\n");
    for (let i = 0; i < lines.length - 1; i += 2) asked.headers.set(lines[i], lines[i + 1]);
    failure = "Network";
    const answer = await fetch(asked);
    const { status, ok } = answer;
    const header = (name) => answer.headers.get(name);
    // Of a refusal there are some words to be read, and of what nobody asked for nothing.
    if (!ok) most = Math.min(most, 65536);
    const announced = Math.min(header("content-length"), most);
    if (!most) await answer.body?.cancel();
    const reader = most ? answer.body?.getReader({ mode: "byob" }) : undefined;
    let size = Math.min(announced || 4096, PIECE);
    while (reader) {
      const { done, value } = await reader.readAtLeast(size, new Uint8Array(size));
      if (done) break;
      read += value.length;
      atOnce += value.length;
      if (read > most || atOnce > MOST_AT_ONCE) {
        reader.cancel().catch(() => {});
        if (ok) return cameTo({ status, failure: "TooLarge" });
        break;
      }
      take(value, Math.max(read, announced));
      // Freed at once: V8 keeps such garbage until it has some 64 MB of it.
      value.buffer.transfer(0);
      size = PIECE;
    }
    let state = header("ce-connectionState");
    // Repeated ones come joined. There are no commas in base64; anything else with commas is one.
    if (/^[\w+/=-]*(, ?[\w+/=-]*)+$/.test(state)) state = state.replace(/.*, ?/, "");
    return cameTo({
      status,
      type: header("content-type"),
      allowed: header("webhook-allowed-origin"),
      state,
      cookies: answer.headers.getSetCookie(),
      metadata: [...answer.headers].flatMap(([name, value]) =>
        name.startsWith("x-webpubsub-metadata-") ? [name.slice(21), value] : [],
      ),
    });
  } catch {
    return cameTo({ failure: controller.signal.aborted ? controller.signal.reason : failure });
  } finally {
    clearTimeout(timer);
    atOnce -= read;
  }
}

const directory = (env, hub, path, body) =>
  env.HUB_DIRECTORY.getByName(hub).fetch("https://directory" + path, { method: "POST", body });

export function keepDelivery(env, hub, delivery) {
  waitUntil(directory(env, hub, "/deliveries", delivery).catch(() => {}));
}

/** Until when the directory need not be asked for a handshake again. */
const held = new Map();

/** Why a URL has not had its handshake; nothing where it has. */
async function whyNotValidated(env, hub, url, origin, limit, controller) {
  const key = JSON.stringify([hub, url, origin]);
  if (held.get(key) > Date.now()) return;
  const timer = setTimeout(() => controller.abort("TimedOut"), limit);
  try {
    const ended = new Promise((_, reject) => (controller.signal.onabort = reject));
    const { status } = await Promise.race([directory(env, hub, "/validation", JSON.stringify({ url, origin })), ended]);
    if (held.size > 99) held.clear();
    if (status === 204) held.set(key, Date.now() + 10_000);
    else return status === 403 ? "NotValidated" : "Network";
  } catch {
    return controller.signal.aborted ? controller.signal.reason : "Network";
  } finally {
    clearTimeout(timer);
  }
}

export class Calls {
  #underWay = new Map();

  /** What aborts a call, which may be about to begin. */
  #of(id) {
    if (!this.#underWay.has(id)) this.#underWay.set(id, new AbortController());
    return this.#underWay.get(id);
  }

  giveUp(id, after) {
    const controller = this.#of(id);
    setTimeout(() => {
      controller.abort("GivenUp");
      this.#underWay.delete(id);
    }, after);
  }

  async make(env, hub, id, validate, origin, url, headers, body, limit, left, most, take) {
    const controller = this.#of(id);
    const time = Date.now();
    // What is handed over moves.
    const content = body.slice();
    try {
      const failure = validate && (await whyNotValidated(env, hub, validate, origin, left, controller));
      const spent = Date.now() - time;
      if (failure) return JSON.stringify({ time, durationMs: spent, failure });
      limit = Math.min(limit, left - spent);
      return JSON.stringify(await request("POST", url, headers, content, limit, most, take, controller));
    } finally {
      this.#underWay.delete(id);
    }
  }
}

export async function shake(url, origin, limit) {
  const headers = `WebHook-Request-Origin\n${origin}\nce-awpsversion\n1.0\n`;
  const answers = [];
  for (const method of ["OPTIONS", "GET"]) {
    const answer = await request(method, url, headers, undefined, limit, 0);
    answers.push(answer);
    if (answer.status !== 404) break;
  }
  return JSON.stringify(answers);
}

export async function deliveries(env, hub, shards) {
  const objects = shards.map((name) => env.HUB_SHARD.getByName(name));
  objects.push(env.HUB_DIRECTORY.getByName(hub));
  const lists = objects.map(async (object) => (await object.fetch("https://object/deliveries")).json());
  const all = (await Promise.all(lists)).flat().sort((one, other) => other.time - one.time);
  const newest = all.slice(0, 200).map((delivery) => ({ ...delivery, time: new Date(delivery.time) }));
  return JSON.stringify({ deliveries: newest });
}
"#)]
extern "C" {
    /// The calls of one shard that are under way.
    pub(crate) type Calls;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new() -> Calls;

    /// Waits so many milliseconds more for the end of a call, and then no more.
    #[wasm_bindgen(method, js_name = giveUp)]
    pub(crate) fn give_up(this: &Calls, id: f64, after: f64);

    /// Tells a handler of an event, after its handshake if `validate` is one's URL: within `left` both,
    /// and within `limit` the request alone; `headers` are a name or a value a line. Of the answer's
    /// body no more than `most` is handed to `take`, and nothing if that is 0. Resolves with the
    /// answer's head as JSON.
    #[wasm_bindgen(method)]
    fn make(
        this: &Calls,
        env: &Env,
        hub: &str,
        id: f64,
        validate: Option<&str>,
        origin: &str,
        url: &str,
        headers: &str,
        body: &[u8],
        limit: f64,
        left: f64,
        most: usize,
        take: &Closure<dyn FnMut(Uint8Array, usize)>,
    ) -> Promise;

    /// Asks a handler whether it wants events of this service. Resolves with the heads of its answers
    /// as JSON, the last being the one that counts.
    fn shake(url: &str, origin: &str, limit: f64) -> Promise;

    /// Has the directory keep a delivery.
    #[wasm_bindgen(js_name = keepDelivery)]
    pub(crate) fn keep_delivery(env: &Env, hub: &str, delivery: &str);

    /// What became of the last attempts to tell a hub's event handlers something, of all its shards'
    /// and its directory's, the newest first. Resolves with JSON.
    pub(crate) fn deliveries(env: &Env, hub: &str, shards: Vec<String>) -> Promise;
}

/// What became of an attempt to tell a handler of an event.
pub(crate) struct Told {
    /// The answer, whatever its status, or why there is none.
    pub(crate) answered: Result<HandlerAnswer, CallFailure>,
    /// What is to be kept of it, once it is known whether the answer is of use.
    pub(crate) delivery: Delivery,
}

impl Told {
    /// Posts an event, after the handshake unless the handler `is_validated`.
    pub(crate) async fn of(
        call: &Call,
        calls: &Calls,
        is_validated: bool,
        hub: &str,
        env: &Env,
        config: &Config,
    ) -> Self {
        let connection = call.connection.as_str();
        let mut headers = String::new();
        let mut add = |name: &str, value: &str| {
            for line in [name, "\n", value, "\n"] {
                headers.push_str(line);
            }
        };
        for (name, value) in &call.request.headers {
            add(name, value);
        }
        add("ce-signature", &config.keys.signature(&call.connection));
        let mut failure = call.barred;
        if let Some(auth) = &call.auth {
            match secret(auth, env) {
                Some(secret) => add(&auth.header, &[auth.scheme, &secret].concat()),
                None => failure = failure.or(Some(CallFailure::Unsendable)),
            }
        }
        if let Some(failure) = failure {
            let delivery = delivery("", &call.event, Some(connection), call.attempt, &call.url);
            return Self { answered: Err(failure), delivery };
        }
        let body = Rc::new(RefCell::new(Vec::new()));
        let taken = Rc::clone(&body);
        let take = Closure::new(move |chunk: Uint8Array, expected: usize| {
            append(&mut taken.borrow_mut(), &chunk, expected);
        });
        let made = calls.make(
            env,
            hub,
            // Exact below 2^53, which a count of calls never reaches.
            call.id.0 as f64,
            (!is_validated).then_some(&call.validate),
            &call.origin,
            &call.url,
            &headers,
            &call.request.body,
            whole_millis(call.limit) as f64,
            whole_millis(call.left) as f64,
            call.purpose.max_bytes(),
            &take,
        );
        // It never fails.
        let head = settled(made).await.ok().and_then(|head| head.as_string()).unwrap_or_default();
        let delivery = delivery(&head, &call.event, Some(connection), call.attempt, &call.url);
        Self { answered: read(&head, body.take()), delivery }
    }
}

/// Adds a piece to a body of which so much is expected in all.
fn append(body: &mut Vec<u8>, chunk: &Uint8Array, expected: usize) {
    let (before, length) = (body.len(), chunk.length() as usize);
    if before + length > body.capacity() {
        // In large steps where nobody said how much it will be: what it outgrows, wasm keeps. With room
        // for the frame that it may become.
        body.reserve_exact(expected.saturating_sub(before).max(length).max(3 * before) + 1024);
    }
    body.resize(before + length, 0);
    if let Some(end) = body.get_mut(before..) {
        chunk.copy_to(end);
    }
}

/// What is to be kept of an attempt, of which JavaScript tells in JSON, if it was made.
fn delivery(head: &str, event: &str, connection: Option<&str>, attempt: u8, url: &str) -> Delivery {
    let head = Members::parse(head).unwrap_or_default();
    let number = |name| head.get(name).and_then(Json::unsigned);
    Delivery {
        time: number("time").unwrap_or_else(|| now().as_millis()),
        event: event.to_owned(),
        connection: connection.map(str::to_owned),
        attempt,
        url: url.split('?').next().unwrap_or_default().to_owned(),
        status: status(&head),
        duration: number("durationMs").unwrap_or(0),
    }
}

/// Makes attempts by a hub's retry policy, until one succeeds or none is left.
pub(crate) async fn retry<T>(
    policy: &EventPolicy,
    mut attempt: impl AsyncFnMut(&Attempts) -> Result<T, CallFailure>,
) -> Result<T, CallFailure> {
    let mut attempts = Attempts::new(now(), policy);
    loop {
        let failure = match attempt(&attempts).await {
            Ok(done) => return Ok(done),
            Err(failure) => failure,
        };
        let Some(pause) = attempts.failed(now(), policy, failure) else { return Err(failure) };
        // It never fails.
        let _ = settled(sleep(whole_millis(pause) as f64)).await;
    }
}

/// A first attempt at telling a handler of an event that happens to no connection of a shard's.
pub(crate) fn first_attempt(
    policy: &EventPolicy,
    handler: &EventHandler,
    connection: &ConnectionId,
    user: Option<UserId>,
    origin: &str,
    event: &Event,
) -> Call {
    let since = now();
    let attempts = Attempts::new(since, policy);
    let url = handler.url.resolve(&policy.hub, event.name());
    let subject = Subject {
        connection: connection.clone(),
        user,
        subprotocol: None,
        origin: origin.to_owned(),
        state: None,
        cookies: Cookies::default(),
    };
    Call {
        id: CallId(0),
        connection: connection.clone(),
        event: event.name().to_owned(),
        attempt: 1,
        origin: origin.to_owned(),
        validate: validation_url(policy, handler),
        auth: handler.auth.clone(),
        request: EventRequest::new(&policy.hub, &subject, event, 0, since, &url),
        barred: policy.barred(&url),
        purpose: event.answer_use(),
        url,
        limit: attempts.limit(since, policy),
        left: attempts.left(since),
    }
}

fn validation_url(policy: &EventPolicy, handler: &EventHandler) -> String {
    handler.url.resolve(&policy.hub, validation::EVENT)
}

/// What came of asking a handler whether it wants events of this service.
pub(crate) struct Handshake {
    /// Whether it does.
    pub(crate) outcome: Result<(), CallFailure>,
    /// What is to be kept of the requests.
    pub(crate) deliveries: Vec<String>,
    /// The status of the last one.
    status: Option<u16>,
}

impl Handshake {
    /// How long one may take.
    ///
    /// Source: docs/spec/cloudevents.md#validation.
    const LIMIT: Duration = Duration::from_secs(10);

    /// Asks a handler once.
    async fn shake(url: &str, origin: &str, attempts: &Attempts, policy: &EventPolicy) -> Self {
        if let Some(failure) = policy.barred(url) {
            let delivery = delivery("", validation::EVENT, None, attempts.number(), url);
            return Self {
                outcome: Err(failure),
                deliveries: vec![delivery.encode(Some(failure))],
                status: None,
            };
        }
        let limit = whole_millis(Self::LIMIT.min(attempts.limit(now(), policy))) as f64;
        // It never fails.
        let said = settled(shake(url, origin, limit)).await;
        let said = said.ok().and_then(|said| said.as_string()).unwrap_or_default();
        let mut shaken = Self { outcome: Err(CallFailure::Network), deliveries: Vec::new(), status: None };
        for head in Json::parse(&said).and_then(Json::elements).unwrap_or_default() {
            let delivery = delivery(head.as_str(), validation::EVENT, None, attempts.number(), url);
            shaken.outcome = read(head.as_str(), Vec::new()).and_then(|answer| {
                validation::check(answer.status, answer.allowed_origin.as_slice(), origin)
            });
            shaken.status = delivery.status;
            shaken.deliveries.push(delivery.encode(shaken.outcome.err()));
        }
        shaken
    }

    /// Asks a handler, again if need be. What is to be kept of every request is handed over.
    ///
    /// # Errors
    /// Why it does not want events of this service, as far as is known.
    pub(crate) async fn persist(
        url: &str,
        origin: &str,
        policy: &EventPolicy,
        keep: impl Fn(&str),
    ) -> Result<(), CallFailure> {
        retry(policy, async |attempts| {
            let shaken = Self::shake(url, origin, attempts, policy).await;
            shaken.deliveries.iter().for_each(|delivery| keep(delivery));
            shaken.outcome
        })
        .await
    }
}

/// Tries an event handler: the handshake, and an event. Says in words how each went.
pub(crate) async fn test(
    policy: &EventPolicy,
    handler: &EventHandler,
    connection: &ConnectionId,
    origin: &str,
    env: &Env,
    config: &Config,
) -> String {
    let hub = policy.hub.as_str();
    let url = validation_url(policy, handler);
    let attempts = Attempts::new(now(), policy);
    let handshake = Handshake::shake(&url, origin, &attempts, policy).await;
    handshake.deliveries.iter().for_each(|delivery| keep_delivery(env, hub, delivery));
    let mut steps = Writer::list();
    steps.element(&step(
        "validation",
        handshake.outcome,
        handshake.status,
        "It wants events of this service.",
        origin,
    ));
    let (mut outcome, mut status) = (Err(CallFailure::NotValidated), None);
    let first = handler.user_events.split(',').next().unwrap_or_default().trim();
    if let (Ok(()), Ok(name)) =
        (handshake.outcome, EventName::parse(first).or_else(|_| EventName::parse("test")))
    {
        let data = MessageData::Text("A test of the event handler.".to_owned());
        let sample = Event::User { name, data, metadata: Metadata::default() };
        let call = first_attempt(policy, handler, connection, None, origin, &sample);
        let told = Told::of(&call, &Calls::new(), true, hub, env, config).await;
        outcome = told.answered.and_then(|answer| answer.taken(call.purpose)).map(drop);
        status = told.delivery.status;
        keep_delivery(env, hub, &told.delivery.encode(outcome.err()));
    }
    steps.element(&step("event", outcome, status, "It took the event.", origin));
    let mut tested = Writer::object();
    tested.json("steps", &steps.finish()).text(
        "note",
        "Only messages of type event, and what clients without a subprotocol send, go to event handlers. \
         What a client sends with sendToGroup goes to the members of the group and to nobody else.",
    );
    tested.finish()
}

/// How one step of a test went, in words.
fn step(
    name: &str,
    outcome: Result<(), CallFailure>,
    status: Option<u16>,
    good: &str,
    origin: &str,
) -> String {
    let (error, result) = match outcome {
        Ok(()) => (None, good.to_owned()),
        Err(failure @ (CallFailure::NoAllowedOrigin | CallFailure::OtherOrigin)) => {
            (Some(failure), format!("{} It is to be * or {origin}.", failure.message()))
        }
        Err(failure) => (Some(failure), failure.message().into_owned()),
    };
    let mut step = Writer::object();
    step.text("step", name).json("ok", if outcome.is_ok() { "true" } else { "false" });
    step.json("status", &status.map_or("null".to_owned(), |status| status.to_string()));
    step.text_or_null("error", error.map(CallFailure::name)).text("result", &result);
    step.finish()
}

/// The secret that a handler knows the service by; `None` where there is none, or none for a header.
fn secret(auth: &HandlerAuth, env: &Env) -> Option<String> {
    let secret = match &auth.secret {
        HandlerSecret::Text(text) => text.clone(),
        HandlerSecret::Named(name) if HandlerSecret::is_for_handlers(name) => variable(env, name)?,
        HandlerSecret::Named(_) => return None,
    };
    (!secret.contains(['\r', '\n'])).then_some(secret)
}

fn status(head: &Members<'_>) -> Option<u16> {
    u16::try_from(head.get("status").and_then(Json::unsigned)?).ok()
}

/// Reads an answer: its head as JSON, in which a failure may stand, and its body.
fn read(head: &str, mut body: Vec<u8>) -> Result<HandlerAnswer, CallFailure> {
    let head = Members::parse(head).unwrap_or_default();
    let text = |name| head.get(name).and_then(Json::text).map(|text| text.into_owned());
    let texts = |name| head.get(name).and_then(Json::texts).unwrap_or_default();
    let status = match (text("failure").as_deref(), status(&head)) {
        (None, Some(status)) => status,
        (Some("NotValidated"), _) => return Err(CallFailure::NotValidated),
        (Some("TimedOut"), _) => return Err(CallFailure::TimedOut),
        (Some("GivenUp"), _) => return Err(CallFailure::GivenUp),
        (Some("TooLarge"), _) => return Err(CallFailure::TooLarge),
        (Some("Unsendable"), _) => return Err(CallFailure::Unsendable),
        (Some(_) | None, _) => return Err(CallFailure::Network),
    };
    let mut metadata = Vec::new();
    let mut names_and_values = texts("metadata").into_iter();
    while let (Some(name), Some(value)) = (names_and_values.next(), names_and_values.next()) {
        metadata.push((name, value));
    }
    let mut content_type = text("type");
    if let Ok(ContentKind::Text(Charset::Label(label))) = parse_content_type(content_type.as_deref()) {
        match text_in_charset(&label, &body) {
            Some(text) => body = text.into_bytes(),
            // Which is no type that anybody reads.
            None => content_type = Some(label),
        }
    }
    Ok(HandlerAnswer {
        status,
        content_type,
        allowed_origin: text("allowed"),
        state: text("state"),
        cookies: texts("cookies"),
        metadata,
        body,
    })
}
