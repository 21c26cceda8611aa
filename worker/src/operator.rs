//! What an operator asks under `/management/`: hubs' settings, their shards, and metrics.

use std::rc::Rc;

use wasm_bindgen::JsValue;
use webpubsub_hub::{HubSettings, METRICS, ShardMap, ShardNumber};
use webpubsub_protocol::encoding::decode_segment;
use webpubsub_protocol::json::Writer;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest::{self, Refusal};
use webpubsub_protocol::url::RequestUrl;
use worker::Env;
use worker::web_sys::{Headers, Request, Response};

use crate::config::{Config, object_name};
use crate::hub_directory::internal;
use crate::management::check_token;
use crate::objects::{Objects, Question};
use crate::platform::{Error, Result};
use crate::view::HubView;
use crate::{http, hub_shard, log};

/// Answers one request under `/management/`.
pub(crate) async fn answer(
    request: &Request,
    url: RequestUrl<'_>,
    env: &Env,
    config: &Config,
) -> Result<Response> {
    let method = request.method();
    if let Err(refusal) = check_token(request, url, config) {
        return http::rest(rest::refuse(&refusal, &method));
    }
    carry_out(&method, request, url, env, config).await.or_else(|error| {
        log::failure("an operator's request", &error);
        http::rest(rest::refuse(&Refusal::Internal, &method))
    })
}

async fn carry_out(
    method: &str,
    request: &Request,
    url: RequestUrl<'_>,
    env: &Env,
    config: &Config,
) -> Result<Response> {
    let path: Vec<&str> = url.path.split('/').skip(2).collect();
    let hub = match path[..] {
        ["metrics" | "hubs"] if method != "GET" => return not_allowed(method, "GET"),
        ["metrics"] => return metrics(env, config).await,
        ["hubs"] => return hubs(env).await,
        ["hubs", hub] | ["hubs", hub, "shards"] => decode_segment(hub).map(|hub| HubName::parse(&hub)),
        _ => return http::rest(rest::refuse(&Refusal::UnknownPath, method)),
    };
    let Some(Ok(hub)) = hub else { return http::rest(rest::refuse(&Refusal::Hub, method)) };
    match (method, path.len()) {
        ("GET", 3) => json(&shards(&current(env, config, &hub).await?.map)),
        (_, 3) => not_allowed(method, "GET"),
        ("GET", _) => json(&current(env, config, &hub).await?.settings.encode()),
        ("PUT", _) => match HubSettings::parse(&http::body_text(request.text()).await?) {
            Ok(settings) => {
                let settings = settings.encode();
                change(env, &hub, method, JsValue::from_str(&settings)).await?;
                json(&settings)
            }
            Err(error) => http::text(400, &format!("Invalid settings: {error}.")),
        },
        ("DELETE", _) => {
            change(env, &hub, method, JsValue::UNDEFINED).await?;
            http::text(204, "")
        }
        _ => not_allowed(method, "GET, PUT, DELETE"),
    }
}

fn json(body: &str) -> Result<Response> {
    http::with_type(200, "application/json; charset=utf-8", body)
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
    let headers = Headers::new()?;
    let question = Question { path: internal::SETTINGS, method, headers: &headers, body };
    let answer = Objects::directories(env)?.ask(vec![hub.to_string()], question).await?.pop();
    HubView::forget(hub);
    match answer {
        Some(answer) if answer.status() == 204 => Ok(()),
        Some(_) | None => Err(Error::new("the directory took no settings")),
    }
}

/// The names of all hubs that were ever used.
async fn known_hubs(env: &Env) -> Result<Vec<HubName>> {
    let headers = Headers::new()?;
    let body = JsValue::UNDEFINED;
    let question = Question { path: internal::HUBS, method: "GET", headers: &headers, body };
    let register = vec![internal::REGISTER.to_owned()];
    let names = match Objects::directories(env)?.ask(register, question).await?.pop() {
        Some(answer) => http::body_text(answer.text()).await?,
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
        let headers = Headers::new()?;
        let (path, body) = (hub_shard::internal::METRICS, JsValue::UNDEFINED);
        let question = Question { path, method: "GET", headers: &headers, body };
        let answers = Objects::shards(env)?.ask(names, question).await?;
        for (shard, answer) in answers.into_iter().enumerate() {
            let values = http::body_text(answer.text()).await?;
            for ((group, metric), value) in groups.iter_mut().zip(METRICS).zip(values.split(',')) {
                group.push_str(&format!("{}{{hub=\"{hub}\",shard=\"{shard}\"}} {value}\n", metric.name));
            }
        }
    }
    http::with_type(200, "text/plain; version=0.0.4", &groups.concat())
}
