//! Requests to event handlers: the handshake, the events, and what becomes of them.

use std::time::Duration;

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;
use webpubsub_hub::{Attempts, Call, CallId, EventHandler, EventPolicy, HandlerAuth, HandlerSecret};
use webpubsub_protocol::data::{MessageData, Metadata};
use webpubsub_protocol::event_handler::{
    CallFailure, Cookies, Event, EventRequest, HandlerAnswer, Subject, is_public, validation,
};
use webpubsub_protocol::json::{Json, Members};
use webpubsub_protocol::limits::MAX_HANDLER_ANSWER_BYTES;
use webpubsub_protocol::name::{ConnectionId, EventName, UserId};
use webpubsub_protocol::rest::{Charset, ContentKind, parse_content_type};
use worker::Env;

use crate::config::Config;
use crate::http::text_in_charset;
use crate::perform::now;
use crate::platform::variable;

#[wasm_bindgen(inline_js = r#"
import { waitUntil } from "cloudflare:workers";

/** Why a request came to nothing, and what an operator is told of that. */
const FAILURES = {
  Unsendable: "Its secret is missing, is not named HANDLER_SECRET_…, or cannot stand in a header.",
  Network: "It could not be reached, or the connection to it broke.",
  TimedOut: "It did not answer in time.",
  TooLarge: "Its answer is too large.",
  NotPublic: "It is at a private address, or without TLS: see ALLOW_PRIVATE_EVENT_HANDLERS.",
  NotValidated: "It was not sent: the handshake comes first.",
  Unreadable: "Its answer has a content type or a body that no message has.",
};

/** How much of all answers that are being read there may be at once, and how much there is. */
const MOST_AT_ONCE = 64 << 20;
let atOnce = 0;

/** Makes a request; `headers` are a name or a value a line. Resolves with what it came to. */
async function request(method, url, headers, body, limit, most) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), limit);
  let failure = "Unsendable";
  let read = 0;
  try {
    const asked = new Request(url, { method, body, redirect: "manual", signal: controller.signal });
    const lines = headers.split("\n");
    for (let i = 0; i < lines.length - 1; i += 2) asked.headers.set(lines[i], lines[i + 1]);
    failure = "Network";
    const answer = await fetch(asked);
    const { status, ok } = answer;
    const chunks = [];
    // Of a refusal there are some words to be read, and of what nobody asked for nothing.
    if (!ok) most = Math.min(most, 65536);
    if (!most) await answer.body?.cancel();
    else {
      for await (const chunk of answer.body ?? []) {
        read += chunk.length;
        atOnce += chunk.length;
        if (read > most || atOnce > MOST_AT_ONCE) {
          if (ok) return { failure: "TooLarge" };
          break;
        }
        chunks.push(chunk);
      }
    }
    const header = (name) => answer.headers.get(name);
    let state = header("ce-connectionState");
    // Repeated ones come joined. There are no commas in base64; anything else with commas is one.
    if (/^[\w+/=-]*(, ?[\w+/=-]*)+$/.test(state)) state = state.replace(/.*, ?/, "");
    return {
      status,
      ok,
      type: header("content-type"),
      allowed: header("webhook-allowed-origin"),
      state,
      cookies: answer.headers.getSetCookie(),
      metadata: [...answer.headers].flatMap(([name, value]) =>
        name.startsWith("x-webpubsub-metadata-") ? [name.slice(21), value] : [],
      ),
      body: new Uint8Array(await new Blob(chunks).arrayBuffer()),
    };
  } catch {
    return { failure: controller.signal.aborted ? "TimedOut" : failure };
  } finally {
    clearTimeout(timer);
    atOnce -= read;
  }
}

/** What is kept of an attempt: nothing of the URL's query, of headers or payloads. */
function delivery(time, event, connectionId, attempt, url, { status = null, ok, failure }) {
  const error = failure ?? (ok ? null : "Status");
  [url] = url.split("?");
  return JSON.stringify({ time, event, connectionId, attempt, url, status, durationMs: Date.now() - time, error });
}

const directory = (env, hub, path, body) =>
  env.HUB_DIRECTORY.getByName(hub).fetch("https://directory" + path, { method: "POST", body });

const keep = (env, hub, record) => waitUntil(directory(env, hub, "/deliveries", record).catch(() => {}));

/** Until when the directory need not be asked for a handshake again. */
const held = new Map();

async function isValidated(env, hub, url, origin, limit) {
  const now = Date.now();
  const key = JSON.stringify([hub, url, origin]);
  if (held.get(key) > now) return true;
  const { status } = await directory(env, hub, "/validation", JSON.stringify({ url, origin, limit }));
  if (held.size > 99) held.clear();
  if (status === 204) held.set(key, now + 10_000);
  else if (status !== 403) throw status;
  return status === 204;
}

export async function tell(env, hub, validate, origin, event, id, attempt, url, headers, body, limit, most, failure, keeps) {
  const time = Date.now();
  // What is handed over moves.
  const content = body.slice();
  let answer = { failure };
  try {
    if (!failure) {
      if (validate && !(await isValidated(env, hub, validate, origin, limit))) answer.failure = "NotValidated";
      else answer = await request("POST", url, headers, content, time + limit - Date.now(), most);
    }
  } catch {
    answer.failure = "Network";
  }
  const record = delivery(time, event, id, attempt, url, answer);
  if (keeps) keep(env, hub, record);
  const { body: said = new Uint8Array(), ...head } = answer;
  return [JSON.stringify(head), said, record];
}

export class Handshakes {
  #underWay = new Map();

  async shake(url, origin, limit) {
    const key = JSON.stringify([url, origin]);
    const other = this.#underWay.get(key);
    if (other) return JSON.stringify(await other);
    const deliveries = [];
    const shaken = (async () => {
      const headers = `WebHook-Request-Origin\n${origin}\nce-awpsversion\n1.0\n`;
      let answer;
      for (const method of ["OPTIONS", "GET"]) {
        const time = Date.now();
        answer = await request(method, url, headers, undefined, limit, 0);
        deliveries.push(delivery(time, "validate", null, deliveries.length + 1, url, answer));
        if (answer.status !== 404) break;
      }
      return answer;
    })();
    this.#underWay.set(key, shaken);
    const answer = await shaken;
    this.#underWay.delete(key);
    return JSON.stringify({ ...answer, deliveries });
  }
}

export function tested(env, hub, origin, shaken, allowed, told) {
  const handshake = JSON.parse(shaken);
  for (const record of handshake.deliveries ?? []) keep(env, hub, record);
  const event = JSON.parse(told);
  const step = (step, ok, { status = null, failure }, words, other) => {
    const result = ok ? words : (FAILURES[failure] ?? other ?? `It answered with status ${status}.`);
    return { step, ok, status, result };
  };
  const other = handshake.ok && `Its WebHook-Allowed-Origin is to be * or ${origin}.`;
  return JSON.stringify({
    steps: [
      step("validation", allowed, handshake, "It wants events of this service.", other || undefined),
      step("event", event.ok === true, event, "It took the event."),
    ],
    note:
      "Only messages of type event, and what clients without a subprotocol send, go to event handlers. " +
      "What a client sends with sendToGroup goes to the members of the group and to nobody else.",
  });
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
    /// Tells a handler of an event, after its handshake if `validate` is one's URL, unless `failure`
    /// says why that cannot be; `headers` are a name or a value a line. Of a successful answer's
    /// body no more than `most` is read, and nothing if that is 0. Resolves with the answer's head as
    /// JSON, its body, and what is to be kept of the attempt, which goes to the directory if it
    /// `keeps` it.
    fn tell(
        env: &Env,
        hub: &str,
        validate: Option<&str>,
        origin: &str,
        event: &str,
        id: &str,
        attempt: u8,
        url: &str,
        headers: &str,
        body: &[u8],
        limit: f64,
        most: usize,
        failure: Option<&str>,
        keeps: bool,
    ) -> Promise;

    /// The handshakes that are under way.
    pub(crate) type Handshakes;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new() -> Handshakes;

    /// Asks a handler whether it wants events of this service. Resolves with the head of its answer
    /// as JSON, and what is to be kept of the attempts but for who only waited as well.
    #[wasm_bindgen(method)]
    fn shake(this: &Handshakes, url: &str, origin: &str, limit: f64) -> Promise;

    /// What [`test`] came to, in words.
    fn tested(env: &Env, hub: &str, origin: &str, shaken: &str, allowed: bool, told: &str) -> String;

    /// What became of the last attempts to tell a hub's event handlers something, of all its shards'
    /// and its directory's, the newest first. Resolves with JSON.
    pub(crate) fn deliveries(env: &Env, hub: &str, shards: Vec<String>) -> Promise;
}

/// Who tells handlers of events.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Teller {
    /// A shard, which keeps what becomes of it.
    Shard,
    /// A Worker, which has the directory keep it.
    Worker,
    /// A Worker again, which has just seen the handshake.
    Test,
}

/// How much of an answer to `connect` is read: what it says of a client travels in a header.
const MAX_CONNECT_ANSWER_BYTES: usize = 1 << 20;

/// An answer, or why there is none.
pub(crate) type Answered = Result<HandlerAnswer, CallFailure>;

/// What became of an attempt to tell a handler of an event.
pub(crate) struct Told {
    pub(crate) answered: Answered,
    /// What is to be kept of it.
    pub(crate) delivery: String,
    head: String,
}

impl Told {
    /// Posts an event.
    pub(crate) async fn of(call: &Call, hub: &str, env: &Env, config: &Config, from: Teller) -> Self {
        let mut most = if from == Teller::Worker { MAX_CONNECT_ANSWER_BYTES } else { 0 };
        let mut headers = String::new();
        let mut add = |name: &str, value: &str| {
            for line in [name, "\n", value, "\n"] {
                headers.push_str(line);
            }
        };
        for (name, value) in &call.request.headers {
            // To other events a handler has nothing to say.
            if name == "ce-type" && value.starts_with("azure.webpubsub.user.") {
                most = MAX_HANDLER_ANSWER_BYTES;
            }
            add(name, value);
        }
        add("ce-signature", &config.keys.signature(&call.connection));
        let mut failure = check_public(&call.url, config);
        if let Some(auth) = &call.auth {
            match secret(auth, env) {
                Some(secret) => add(&auth.header, &[auth.scheme, &secret].concat()),
                None => failure = Some(CallFailure::Unsendable),
            }
        }
        let told = tell(
            env,
            hub,
            (from != Teller::Test).then_some(&call.validate),
            &call.origin,
            &call.event,
            call.connection.as_str(),
            call.attempt,
            &call.url,
            &headers,
            &call.request.body,
            call.limit.as_millis() as f64,
            most,
            failure.map(CallFailure::name),
            from != Teller::Shard,
        );
        // It never fails.
        let Ok(told) = JsFuture::from(told).await else {
            let [delivery, head] = ["{}", "{}"].map(str::to_owned);
            return Self { answered: Err(CallFailure::Network), delivery, head };
        };
        let told: Array = told.unchecked_into();
        let text = |at| told.get(at).as_string().unwrap_or_default();
        let head = text(0);
        let body = told.get(1).unchecked_into::<Uint8Array>().to_vec();
        Self { answered: read(&head, body), delivery: text(2), head }
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
        url,
        limit: Attempts::new(since, policy).limit(since, policy),
    }
}

fn validation_url(policy: &EventPolicy, handler: &EventHandler) -> String {
    handler.url.resolve(&policy.hub, validation::EVENT)
}

/// What a handler said when it was asked whether it wants events of this service.
pub(crate) struct Handshake {
    status: u16,
    allowed: String,
    /// What is to be kept of the attempts; nothing for who only waited as well.
    pub(crate) deliveries: Vec<String>,
    said: String,
}

impl Handshake {
    /// How long one may take.
    ///
    /// Source: `CloudEvents` spec, section 2.
    const LIMIT: Duration = Duration::from_secs(10);

    /// Asks a handler.
    pub(crate) async fn shake(
        under_way: &Handshakes,
        url: &str,
        origin: &str,
        limit: Duration,
        config: &Config,
    ) -> Self {
        let said = match check_public(url, config) {
            Some(_) => r#"{"failure":"NotPublic"}"#.to_owned(),
            None => {
                let limit = Self::LIMIT.min(limit).as_millis() as f64;
                let said = JsFuture::from(under_way.shake(url, origin, limit)).await;
                said.ok().and_then(|said| said.as_string()).unwrap_or_default()
            }
        };
        let head = Members::parse(&said).unwrap_or_default();
        Self {
            status: status(&head),
            allowed: head.get("allowed").and_then(Json::text).unwrap_or_default().into_owned(),
            deliveries: head.get("deliveries").and_then(Json::texts).unwrap_or_default(),
            said,
        }
    }

    /// Whether it does.
    pub(crate) fn allows(&self, origin: &str) -> bool {
        validation::allows(self.status, std::slice::from_ref(&self.allowed), origin)
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
    let handshake = Handshake::shake(&Handshakes::new(), &url, origin, policy.timeout, config).await;
    let allowed = handshake.allows(origin);
    let mut event = r#"{"failure":"NotValidated"}"#.to_owned();
    let first = handler.user_events.split(',').next().unwrap_or_default().trim();
    if let (true, Ok(name)) = (allowed, EventName::parse(first).or_else(|_| EventName::parse("test"))) {
        let data = MessageData::Text("A test of the event handler.".to_owned());
        let sample = Event::User { name, data, metadata: Metadata::default() };
        let call = first_attempt(policy, handler, connection, None, origin, &sample);
        let told = Told::of(&call, hub, env, config, Teller::Test).await;
        let is_unreadable = told.answered.is_ok_and(|answer| answer.reply() == Err(CallFailure::Unreadable));
        event = if is_unreadable { r#"{"failure":"Unreadable"}"#.to_owned() } else { told.head };
    }
    tested(env, hub, origin, &handshake.said, allowed, &event)
}

/// Why a URL may not be called from here, if it may not.
fn check_public(url: &str, config: &Config) -> Option<CallFailure> {
    (!config.private_handlers && !is_public(url)).then_some(CallFailure::NotPublic)
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

fn status(head: &Members<'_>) -> u16 {
    head.get("status").and_then(Json::unsigned).and_then(|status| u16::try_from(status).ok()).unwrap_or(0)
}

/// Reads an answer: its head as JSON, in which a failure may stand, and its body.
fn read(head: &str, mut body: Vec<u8>) -> Answered {
    let head = Members::parse(head).unwrap_or_default();
    let text = |name| head.get(name).and_then(Json::text).map(|text| text.into_owned());
    let texts = |name| head.get(name).and_then(Json::texts).unwrap_or_default();
    let status = status(&head);
    if status == 0 {
        return Err(match text("failure").unwrap_or_default().as_str() {
            "NotPublic" => CallFailure::NotPublic,
            "NotValidated" => CallFailure::NotValidated,
            "TimedOut" => CallFailure::TimedOut,
            "TooLarge" => CallFailure::TooLarge,
            "Unsendable" => CallFailure::Unsendable,
            _ => CallFailure::Network,
        });
    }
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
        state: text("state"),
        cookies: texts("cookies"),
        metadata,
        body,
    })
}
