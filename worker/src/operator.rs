//! What an operator asks under `/management/`: hubs' settings, their shards, what became of events,
//! and metrics.

use webpubsub_protocol::encoding::decode_segment;
use webpubsub_protocol::json::Writer;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest::{self, Refusal};
use webpubsub_service::{Config, shard_names};
use webpubsub_shard::{HubSettings, METRICS, ShardId, ShardMap};
use worker::Env;
use worker::web_sys::Response;

use crate::event_handler::{deliveries, test};
use crate::http::Asked;
use crate::hub_directory::{all_taken, internal};
use crate::management::check_token;
use crate::objects::Objects;
use crate::platform::{Error, Result};
use crate::task::settled;
use crate::view::used_hubs;
use crate::{http, hub_shard, log, view};

/// Answers one request under `/management/`.
pub(crate) async fn answer(asked: Asked<'_>, env: &Env, config: &Config) -> Result<Response> {
    let origin = match check_token("an operator's request", asked, config) {
        Ok(origin) => origin,
        Err(refusal) => return http::rest(rest::refuse(&refusal, asked.method)),
    };
    carry_out(asked, &origin.host, env, config).await.or_else(|error| {
        log::failure("an operator's request", &error);
        http::rest(rest::refuse(&Refusal::Internal, asked.method))
    })
}

async fn carry_out(asked: Asked<'_>, host: &str, env: &Env, config: &Config) -> Result<Response> {
    let Asked { request, method, url, .. } = asked;
    let path: Vec<&str> = url.path.split('/').skip(2).collect();
    let (hub, rest) = match path[..] {
        ["metrics" | "hubs"] if method != "GET" => return not_allowed(method, "GET"),
        ["metrics"] => return metrics(env, config).await,
        ["hubs"] => return hubs(env).await,
        ["sockets", ":close"] if method == "POST" => {
            // Who begins the request early has it come through when the process takes no new ones.
            return match http::message_body(request, None).await? {
                Ok(_) => close_sockets(env).await,
                Err(refusal) => http::rest(rest::refuse(&refusal, method)),
            };
        }
        ["sockets", ":close"] => return not_allowed(method, "POST"),
        ["hubs", hub, ref rest @ ..] => (decode_segment(hub).map(|hub| HubName::parse(&hub)), rest),
        _ => return http::rest(rest::refuse(&Refusal::UnknownPath, method)),
    };
    let Some(Ok(hub)) = hub else { return http::rest(rest::refuse(&Refusal::Hub, method)) };
    // As it is now, not as this Worker heard last.
    view::forget(&hub);
    let view = view::of(env, config, &hub).await?;
    let settings = view.settings(config, &hub);
    match (rest, method) {
        ([], "GET") => json(&settings.show()),
        ([], "PUT") => {
            let Ok(body) = http::message_body(request, None).await? else {
                return http::text(413, "The settings of a hub are at most 1 MiB of JSON.");
            };
            let body = String::from_utf8(http::take_bytes(&body)).unwrap_or_default();
            let given = HubSettings::parse(&body).and_then(|given| {
                let given = given.with_secrets_of(&settings)?;
                if !config.private_handlers {
                    given.check_public()?;
                }
                Ok(given)
            });
            match given {
                Ok(given) => {
                    change(env, &hub, &given.encode()).await?;
                    json(&given.show())
                }
                Err(error) => http::text(400, &format!("Invalid settings: {error}.")),
            }
        }
        ([], "DELETE") => {
            change(env, &hub, "null").await?;
            http::text(204, "")
        }
        ([], _) => not_allowed(method, "GET, PUT, DELETE"),
        (["shards"], "GET") => json(&shards(&view.map)),
        (["deliveries"], "GET") => {
            let deliveries = deliveries(env, hub.as_str(), shard_names(&hub, &view.map));
            json(&settled(deliveries).await?.as_string().unwrap_or_default())
        }
        (["shards" | "deliveries"], _) => not_allowed(method, "GET"),
        (["eventHandlers", index, ":test"], "POST") => {
            let policy = config.policy(&hub, settings);
            match index.parse().ok().and_then(|index: usize| policy.settings.event_handlers.get(index)) {
                Some(handler) => {
                    let mut random = [0; 16];
                    getrandom::fill(&mut random).map_err(Error::new)?;
                    let connection = ShardId(0).connection_id(random);
                    json(&test(&policy, handler, &connection, host, env, config).await)
                }
                None => http::text(404, "The hub has no such event handler: they are numbered from 0."),
            }
        }
        (["eventHandlers", _, ":test"], _) => not_allowed(method, "POST"),
        _ => http::rest(rest::refuse(&Refusal::UnknownPath, method)),
    }
}

fn json(body: &str) -> Result<Response> {
    http::with_type(200, "application/json; charset=utf-8", body)
}

fn not_allowed(method: &str, methods: &str) -> Result<Response> {
    http::rest(rest::refuse(&Refusal::Method { allow: methods.to_owned() }, method))
}

/// Changes a hub's settings. That holds for this Worker at once, and for the others when they have
/// forgotten what they hold.
async fn change(env: &Env, hub: &HubName, settings: &str) -> Result<()> {
    let (directory, path) = (vec![hub.to_string()], internal::SETTINGS);
    let answer = Objects::directories(env)?.ask_texts(directory, path, Some(settings)).await?;
    view::forget(hub);
    if answer.concat() == internal::TAKEN {
        Ok(())
    } else {
        Err(Error::new("not every shard took the settings yet"))
    }
}

/// The names of all hubs that were ever used.
async fn known_hubs(env: &Env) -> Result<Vec<HubName>> {
    Ok(used_hubs(env).await?.lines().filter_map(|name| HubName::parse(name).ok()).collect())
}

async fn hubs(env: &Env) -> Result<Response> {
    let names: Vec<String> = known_hubs(env).await?.iter().map(HubName::to_string).collect();
    let mut hubs = Writer::object();
    hubs.json("hubs", &Writer::texts(&names));
    json(&hubs.finish())
}

/// How many hubs are woken at once to close their sockets.
const HUBS_AT_ONCE: usize = 100;

/// Has every shard of every hub close its sockets, as before a stop of the service. A hub that fails
/// does not keep the others from it.
async fn close_sockets(env: &Env) -> Result<Response> {
    let mut all = true;
    for hubs in known_hubs(env).await?.chunks(HUBS_AT_ONCE) {
        let names = hubs.iter().map(HubName::to_string).collect();
        match Objects::directories(env)?.ask_texts(names, internal::GO_AWAY, Some("")).await {
            Ok(answers) => all &= all_taken(&answers),
            Err(error) => {
                log::failure("closing the sockets of a hub", &error);
                all = false;
            }
        }
    }
    if all { http::text(204, "") } else { Err(Error::new("not every shard closed its sockets")) }
}

fn shards(map: &ShardMap) -> String {
    let mut shards = Writer::list();
    for number in 0..map.reached {
        let mut shard = Writer::object();
        shard.number("number", number.into()).text("state", map.state(ShardId(number)).as_str());
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
        let map = view::of(env, config, &hub).await?.map;
        let names = shard_names(&hub, &map);
        let answers = Objects::shards(env)?.ask_texts(names, hub_shard::internal::METRICS, None).await?;
        for (shard, values) in answers.iter().enumerate().filter(|(_, values)| !values.is_empty()) {
            for ((group, metric), value) in groups.iter_mut().zip(METRICS).zip(values.split(',')) {
                group.push_str(&format!("{}{{hub=\"{hub}\",shard=\"{shard}\"}} {value}\n", metric.name));
            }
        }
    }
    http::with_type(200, "text/plain; version=0.0.4", &groups.concat())
}
