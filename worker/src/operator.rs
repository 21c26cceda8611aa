//! What an operator asks under `/management/`: hubs' settings, their shards, what became of events,
//! and metrics.

use std::rc::Rc;

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use webpubsub_hub::{
    Attempts, Call, CallId, EventHandler, EventPolicy, HubSettings, METRICS, ShardMap, ShardNumber,
};
use webpubsub_protocol::data::{MessageData, Metadata};
use webpubsub_protocol::encoding::decode_segment;
use webpubsub_protocol::event_handler::{CallFailure, Cookies, Event, EventRequest, Subject, validation};
use webpubsub_protocol::json::Writer;
use webpubsub_protocol::name::{EventName, HubName};
use webpubsub_protocol::rest::{self, Refusal};
use webpubsub_protocol::url::RequestUrl;
use worker::{Env, Error, Headers, Request, Response, ResponseBuilder, Result};

use crate::config::{Config, object_name};
use crate::event_handler::Answered;
use crate::hub_directory::internal;
use crate::management::check_token;
use crate::objects::{Objects, Question};
use crate::perform::now;
use crate::view::HubView;
use crate::{event_handler, http, hub_shard, log};

#[wasm_bindgen(inline_js = r#"
export function newestFirst(lists, most) {
  const all = lists.flatMap((list) => JSON.parse(list)).sort((one, other) => other.time - one.time);
  const deliveries = all.slice(0, most).map((delivery) => ({ ...delivery, time: new Date(delivery.time) }));
  return JSON.stringify({ deliveries });
}
"#)]
extern "C" {
    /// One list of deliveries out of several, written as an operator reads them.
    #[wasm_bindgen(catch, js_name = newestFirst)]
    fn newest_first(lists: Vec<String>, most: u32) -> std::result::Result<String, JsValue>;
}

/// How many deliveries an operator is shown.
const MAX_DELIVERIES: u32 = 200;

/// Answers one request under `/management/`.
pub(crate) async fn answer(
    request: Request,
    url: RequestUrl<'_>,
    env: &Env,
    config: &Config,
) -> Result<Response> {
    let method = request.inner().method();
    if let Err(refusal) = check_token(&request, url, config) {
        return http::rest(rest::refuse(&refusal, &method));
    }
    carry_out(&method, request, url, env, config).await.or_else(|error| {
        log::failure("an operator's request", &error);
        http::rest(rest::refuse(&Refusal::Internal, &method))
    })
}

async fn carry_out(
    method: &str,
    mut request: Request,
    url: RequestUrl<'_>,
    env: &Env,
    config: &Config,
) -> Result<Response> {
    let path: Vec<&str> = url.path.split('/').skip(2).collect();
    let (hub, rest) = match path[..] {
        ["metrics" | "hubs"] if method != "GET" => return not_allowed(method, "GET"),
        ["metrics"] => return metrics(env, config).await,
        ["hubs"] => return hubs(env).await,
        ["hubs", hub, ref rest @ ..] => (decode_segment(hub).map(|hub| HubName::parse(&hub)), rest),
        _ => return http::rest(rest::refuse(&Refusal::UnknownPath, method)),
    };
    let Some(Ok(hub)) = hub else { return http::rest(rest::refuse(&Refusal::Hub, method)) };
    match (rest, method) {
        ([], "GET") => json(&current(env, config, &hub).await?.settings(config, &hub).show()),
        ([], "PUT") => {
            let given = request.text().await?;
            let known = current(env, config, &hub).await?.settings(config, &hub);
            let settings = HubSettings::parse(&given).and_then(|given| {
                let settings = given.with_secrets_of(&known)?;
                if !config.private_handlers {
                    settings.check_public()?;
                }
                Ok(settings)
            });
            match settings {
                Ok(settings) => {
                    change(env, &hub, method, JsValue::from_str(&settings.encode())).await?;
                    json(&settings.show())
                }
                Err(error) => http::text(400, &format!("Invalid settings: {error}.")),
            }
        }
        ([], "DELETE") => {
            change(env, &hub, method, JsValue::UNDEFINED).await?;
            http::text(204, "")
        }
        ([], _) => not_allowed(method, "GET, PUT, DELETE"),
        (["shards"], "GET") => json(&shards(&current(env, config, &hub).await?.map)),
        (["deliveries"], "GET") => deliveries(env, config, &hub).await,
        (["shards" | "deliveries"], _) => not_allowed(method, "GET"),
        (["eventHandlers", index, ":test"], "POST") => {
            let policy = EventPolicy {
                settings: current(env, config, &hub).await?.settings(config, &hub),
                ..config.policy(&hub)
            };
            match index.parse().ok().and_then(|index: usize| policy.settings.event_handlers.get(index)) {
                Some(handler) => json(&test(handler, &policy, url.host, env, config).await?),
                None => http::text(404, "The hub has no such event handler: they are numbered from 0."),
            }
        }
        (["eventHandlers", _, ":test"], _) => not_allowed(method, "POST"),
        _ => http::rest(rest::refuse(&Refusal::UnknownPath, method)),
    }
}

fn json(body: &str) -> Result<Response> {
    let response = ResponseBuilder::new().with_header("Content-Type", "application/json; charset=utf-8")?;
    Ok(response.fixed(body.as_bytes().to_vec()))
}

fn not_allowed(method: &str, methods: &str) -> Result<Response> {
    http::rest(rest::refuse(&Refusal::Method { allow: methods.to_owned() }, method))
}

/// A hub as it is now, not as this Worker heard last.
async fn current(env: &Env, config: &Config, hub: &HubName) -> Result<Rc<HubView>> {
    HubView::forget(hub);
    HubView::of(env, config, hub).await
}

/// Changes a hub's settings. That holds for this Worker at once, and for the others when they have
/// forgotten what they hold.
async fn change(env: &Env, hub: &HubName, method: &str, body: JsValue) -> Result<()> {
    let headers = Headers::new();
    let question = Question { path: internal::SETTINGS, method, headers: &headers.0, body };
    let answer = Objects::directories(env)?.ask(vec![hub.to_string()], question).await?.pop();
    HubView::forget(hub);
    match answer {
        Some(answer) if answer.status_code() == 204 => Ok(()),
        Some(_) | None => Err(Error::RustError("the directory took no settings".to_owned())),
    }
}

/// What became of the last attempts to tell a hub's event handlers something, of all its shards' and
/// its directory's.
async fn deliveries(env: &Env, config: &Config, hub: &HubName) -> Result<Response> {
    let map = HubView::of(env, config, hub).await?.map;
    let names = (0..map.reached).map(|shard| object_name(hub, ShardNumber(shard))).collect();
    let headers = Headers::new();
    let (path, body) = (internal::DELIVERIES, JsValue::UNDEFINED);
    let question = |body| Question { path, method: "GET", headers: &headers.0, body };
    let mut answers = Objects::shards(env)?.ask(names, question(body.clone())).await?;
    answers.extend(Objects::directories(env)?.ask(vec![hub.to_string()], question(body)).await?);
    let mut lists = Vec::new();
    for mut answer in answers {
        lists.push(answer.text().await?);
    }
    json(&newest_first(lists, MAX_DELIVERIES)?)
}

/// Tries an event handler: the handshake, and an event. Says in words how each went.
async fn test(
    handler: &EventHandler,
    policy: &EventPolicy,
    origin: &str,
    env: &Env,
    config: &Config,
) -> Result<String> {
    let hub = &policy.hub;
    let validate = handler.url.resolve(hub, validation::EVENT);
    let handshake = event_handler::handshake(&validate, origin, policy.timeout, config).await;
    let mut deliveries = handshake.deliveries;
    let words = match &handshake.answered {
        _ if handshake.allowed => "It wants events of this service.".to_owned(),
        Ok(answer) if answer.is_success() => {
            format!("Its WebHook-Allowed-Origin is neither * nor {origin}: it is to allow this host.")
        }
        answered => outcome(answered),
    };
    let mut steps = Writer::list();
    steps.element(&step("validation", handshake.allowed, &handshake.answered, &words));
    if handshake.allowed {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| Error::RustError(error.to_string()))?;
        let connection = ShardNumber(0).connection_id(random);
        let name = handler.user_events.split(',').next().unwrap_or_default().trim();
        let name = EventName::parse(name).or(EventName::parse("test"));
        let name = name.map_err(|error| Error::RustError(error.to_string()))?;
        let url = handler.url.resolve(hub, name.as_str());
        let subject = Subject {
            connection: connection.clone(),
            user: None,
            subprotocol: None,
            origin: origin.to_owned(),
            state: None,
            cookies: Cookies::default(),
        };
        let data = MessageData::Text("A test of the event handler.".to_owned());
        let event = Event::User { name, data, metadata: Metadata::default() };
        let since = now();
        let call = Call {
            id: CallId(0),
            connection,
            event: event.name().to_owned(),
            attempt: 1,
            origin: origin.to_owned(),
            request: EventRequest::new(hub, &subject, &event, 1, since, &url),
            url,
            validate,
            auth: handler.auth.clone(),
            limit: Attempts::new(since, policy).limit(since, policy),
        };
        let answered = event_handler::send(&call, call.limit, env, config).await;
        deliveries.push(event_handler::delivery(
            since,
            &call.event,
            Some(call.connection.as_str()),
            1,
            &call.url,
            &answered,
        ));
        let is_success = matches!(&answered, Ok(answer) if answer.is_success());
        steps.element(&step("event", is_success, &answered, &outcome(&answered)));
    } else {
        let words = "It was not sent: the handshake comes first.";
        steps.element(&step("event", false, &Err(CallFailure::NotValidated), words));
    }
    for delivery in deliveries {
        event_handler::report(env.clone(), hub.clone(), delivery).await;
    }
    let mut tested = Writer::object();
    tested.json("steps", &steps.finish()).text(
        "note",
        "Only messages of type event, and what clients without a subprotocol send, go to event handlers. \
         What a client sends with sendToGroup goes to the members of the group and to nobody else.",
    );
    Ok(tested.finish())
}

fn step(name: &str, is_ok: bool, answered: &Answered, words: &str) -> String {
    let mut step = Writer::object();
    step.text("step", name).json("ok", if is_ok { "true" } else { "false" });
    match answered {
        Ok(answer) => step.number("status", answer.status.into()),
        Err(_) => step.json("status", "null"),
    };
    step.text("result", words);
    step.finish()
}

/// What a request came to, in words.
fn outcome(answered: &Answered) -> String {
    let words = match answered {
        Ok(answer) if answer.is_success() => "It took the event.",
        Ok(answer) => return format!("It answered with status {}.", answer.status),
        Err(CallFailure::NotPublic) => {
            "It is at an address that is not public, or without TLS: see ALLOW_PRIVATE_EVENT_HANDLERS."
        }
        Err(CallFailure::Unsendable) => "Its secret is missing, or cannot stand in a header.",
        Err(CallFailure::TimedOut) => "It did not answer in time.",
        Err(CallFailure::TooLarge) => "Its answer has more than 16 MiB.",
        Err(_) => "It could not be reached, or the connection to it broke.",
    };
    words.to_owned()
}

/// The names of all hubs that were ever used.
async fn known_hubs(env: &Env) -> Result<Vec<HubName>> {
    let headers = Headers::new();
    let body = JsValue::UNDEFINED;
    let question = Question { path: internal::HUBS, method: "GET", headers: &headers.0, body };
    let register = vec![internal::REGISTER.to_owned()];
    let names = match Objects::directories(env)?.ask(register, question).await?.pop() {
        Some(mut answer) => answer.text().await?,
        None => String::new(),
    };
    Ok(names.lines().filter_map(|name| HubName::parse(name).ok()).collect())
}

async fn hubs(env: &Env) -> Result<Response> {
    let names: Vec<String> = known_hubs(env).await?.iter().map(HubName::to_string).collect();
    let mut hubs = Writer::object();
    hubs.json("hubs", &Writer::texts(&names));
    json(&hubs.finish())
}

fn shards(map: &ShardMap) -> String {
    let mut shards = Writer::list();
    for number in 0..map.reached {
        let mut shard = Writer::object();
        shard.number("number", number.into()).text("state", map.state(ShardNumber(number)).as_str());
        shards.element(&shard.finish());
    }
    let mut all = Writer::object();
    all.number("version", map.version).json("shards", &shards.finish());
    all.finish()
}

/// Every metric of every shard of every hub, in Prometheus' text format. Asking wakes them all.
async fn metrics(env: &Env, config: &Config) -> Result<Response> {
    let mut groups = METRICS.map(|metric| {
        let name = metric.name;
        format!("# HELP {name} {}\n# TYPE {name} {}\n", metric.help, metric.kind)
    });
    for hub in known_hubs(env).await? {
        let map = HubView::of(env, config, &hub).await?.map;
        let names = (0..map.reached).map(|shard| object_name(&hub, ShardNumber(shard))).collect();
        let headers = Headers::new();
        let (path, body) = (hub_shard::internal::METRICS, JsValue::UNDEFINED);
        let question = Question { path, method: "GET", headers: &headers.0, body };
        let answers = Objects::shards(env)?.ask(names, question).await?;
        for (shard, mut answer) in answers.into_iter().enumerate() {
            let values = answer.text().await?;
            for ((group, metric), value) in groups.iter_mut().zip(METRICS).zip(values.split(',')) {
                group.push_str(&format!("{}{{hub=\"{hub}\",shard=\"{shard}\"}} {value}\n", metric.name));
            }
        }
    }
    let response = ResponseBuilder::new().with_header("Content-Type", "text/plain; version=0.0.4")?;
    Ok(response.fixed(groups.concat().into_bytes()))
}
