//! What an operator asks under `/management/`: hubs' settings, their shards, what became of events,
//! and metrics.

use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest::{self, Refusal};
use webpubsub_service::management::{
    HubRequest, ManagementRequest, MetricsText, read_settings, show_hubs, show_shards,
};
use webpubsub_service::{Config, DirectoryCall, ShardCall, shard_names, test_handler};
use webpubsub_shard::{HubSettings, ShardId};
use worker::Env;
use worker::web_sys::Response;

use crate::event_handler::{Caller, Calls, deliveries, keep_delivery};
use crate::http::Asked;
use crate::objects::{ask_directories, ask_shards};
use crate::platform::{Error, Result};
use crate::register::used_hubs;
use crate::rest::check_token;
use crate::task::settled;
use crate::{http, log, view};

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
    let (hub, asked) = match ManagementRequest::parse(method, url.path) {
        Ok(ManagementRequest::Metrics) => return metrics(env, config).await,
        Ok(ManagementRequest::Hubs) => {
            let names: Vec<String> = known_hubs(env).await?.iter().map(HubName::to_string).collect();
            return json(&show_hubs(&names));
        }
        Ok(ManagementRequest::CloseSockets) => {
            // A caller that begins the request early has it come through when the process takes no new ones.
            return match http::message_body(request, None).await? {
                Ok(_) => close_sockets(env).await,
                Err(refusal) => http::rest(rest::refuse(&refusal, method)),
            };
        }
        Ok(ManagementRequest::Hub(hub, asked)) => (hub, asked),
        Err(refusal) => return http::rest(rest::refuse(&refusal, method)),
    };
    // The view as it is, and not as it is cached.
    view::forget(&hub);
    let view = view::of(env, config, &hub).await?;
    let settings = view.settings(config, &hub);
    match asked {
        HubRequest::Settings => json(&settings.show()),
        HubRequest::ChangeSettings => {
            let Ok(body) = http::message_body(request, None).await? else {
                return http::text(413, "The settings of a hub are at most 1 MiB of JSON.");
            };
            let body = String::from_utf8(http::take_bytes(&body)).unwrap_or_default();
            match read_settings(&body, &settings, config) {
                Ok(given) => {
                    let shown = given.show();
                    change(env, &hub, Some(given)).await?;
                    json(&shown)
                }
                Err(error) => http::text(400, &format!("Invalid settings: {error}.")),
            }
        }
        HubRequest::DeleteSettings => {
            change(env, &hub, None).await?;
            http::text(204, "")
        }
        HubRequest::Shards => json(&show_shards(&view.map)),
        HubRequest::Deliveries => {
            let deliveries = deliveries(env, hub.as_str(), shard_names(&hub, &view.map));
            json(&settled(deliveries).await?.as_string().unwrap_or_default())
        }
        HubRequest::TestHandler(index) => {
            let policy = config.policy(&hub, settings);
            match index.and_then(|index| policy.settings.event_handlers.get(index)) {
                Some(handler) => {
                    let mut random = [0; 16];
                    getrandom::fill(&mut random).map_err(Error::new)?;
                    let connection = ShardId(0).connection_id(random);
                    let (hub, calls) = (policy.hub.as_str(), Calls::new());
                    let keep = |delivery: &str| keep_delivery(env, hub, delivery);
                    let caller = Caller { env, hub, calls: &calls, id: 0.0, keep: &keep };
                    json(&test_handler(&caller, &policy, handler, &connection, host, &config.keys).await)
                }
                None => http::text(404, "The hub has no such event handler: they are numbered from 0."),
            }
        }
    }
}

fn json(body: &str) -> Result<Response> {
    http::with_type(200, "application/json; charset=utf-8", body)
}

/// Changes a hub's settings. That holds for this Worker at once, and for the others when they have
/// forgotten what they hold.
async fn change(env: &Env, hub: &HubName, settings: Option<HubSettings>) -> Result<()> {
    let call = DirectoryCall::ChangeSettings(settings);
    let answers = ask_directories(env, vec![hub.to_string()], &call).await?;
    view::forget(hub);
    if answers.iter().all(Option::is_some) {
        Ok(())
    } else {
        Err(Error::new("not every shard took the settings yet"))
    }
}

/// The names of all hubs that were ever used.
async fn known_hubs(env: &Env) -> Result<Vec<HubName>> {
    Ok(used_hubs(env).await?.lines().filter_map(|name| HubName::parse(name).ok()).collect())
}

/// How many hubs are woken at once to close their sockets.
const HUBS_AT_ONCE: usize = 100;

/// Has every shard of every hub close its sockets, as before a stop of the service. A hub that fails
/// does not keep the others from it.
async fn close_sockets(env: &Env) -> Result<Response> {
    let mut all = true;
    for hubs in known_hubs(env).await?.chunks(HUBS_AT_ONCE) {
        let names = hubs.iter().map(HubName::to_string).collect();
        match ask_directories(env, names, &DirectoryCall::GoAway).await {
            Ok(answers) => all &= answers.iter().all(Option::is_some),
            Err(error) => {
                log::failure("closing the sockets of a hub", &error);
                all = false;
            }
        }
    }
    if all { http::text(204, "") } else { Err(Error::new("not every shard closed its sockets")) }
}

/// Every metric of every shard of every hub. Asking wakes them all.
async fn metrics(env: &Env, config: &Config) -> Result<Response> {
    let mut text = MetricsText::new();
    for hub in known_hubs(env).await? {
        let map = view::of(env, config, &hub).await?.map;
        let names = shard_names(&hub, &map);
        let answers = ask_shards(env, names, ShardCall::Metrics).await?;
        for (shard, values) in answers.iter().enumerate() {
            text.add(&hub, shard, values.as_deref().unwrap_or_default());
        }
    }
    http::with_type(200, MetricsText::CONTENT_TYPE, &text.finish())
}
