//! The REST API: a server's request to the hub's shards and back.

use js_sys::Uint8Array;
use webpubsub_auth::{Hosts, ServiceAudience, bearer, sign_client, sign_continuation, verify_service};
use webpubsub_hub::{Assignment, Work};
use webpubsub_protocol::name::GroupName;
use webpubsub_protocol::rest::{
    self, FirstMembers, MemberPage, Operation, Outcome, PageRequest, Refusal, Route,
};
use webpubsub_protocol::url::RequestUrl;
use worker::Env;
use worker::web_sys::{Request, Response};

use crate::config::Config;
use crate::perform::now;
use crate::platform::{Error, Result};
use crate::route::Shards;
use crate::view::HubView;
use crate::{file, http, log};

/// Answers one request under `/api/`.
pub(crate) async fn answer(
    request: &Request,
    url: RequestUrl<'_>,
    env: &Env,
    config: &Config,
) -> Result<Response> {
    let method = request.method();
    let operation = match authorised(&method, request, url, config) {
        Ok(operation) => operation,
        Err(refusal) => return http::rest(rest::refuse(&refusal, &method)),
    };
    let origin = format!("{}://{}", url.scheme, url.host);
    match Assignment::of(operation) {
        Assignment::Health => http::rest(rest::respond(Outcome::Healthy)),
        // A file: it changes with the code only.
        Assignment::Document => file(request, env).await,
        Assignment::Token { hub, request } => {
            let token = sign_client(&config.keys, now(), &hub, &request, &origin);
            http::rest(rest::respond(Outcome::Token(token)))
        }
        Assignment::Shards { hub, task } => {
            let map = match HubView::of(env, config, &hub).await {
                Ok(view) => view.map,
                Err(error) => {
                    log::failure("asking a hub's directory", &error);
                    return http::rest(rest::refuse(&Refusal::Internal, &method));
                }
            };
            let shards = Shards { env, config, hub: &hub, map };
            let answer = match &task.work {
                Work::List { group, page } => list(shards, group, page, request, url, &origin).await,
                Work::Command(_) | Work::Deliver { to: _, ttl: _ } | Work::JoinMany | Work::LeaveMany => {
                    shards.carry_out(&task, request, url).await
                }
            };
            answer.or_else(|error| {
                log::failure("asking a shard", &error);
                http::rest(rest::refuse(&Refusal::Internal, &method))
            })
        }
    }
}

/// One page of a group's members out of what every shard lists.
async fn list(
    shards: Shards<'_>,
    group: &GroupName,
    page: &PageRequest,
    request: &Request,
    url: RequestUrl<'_>,
    origin: &str,
) -> Result<Response> {
    let mut first = FirstMembers::of(page.wanted());
    for answer in shards.ask_all(request, url, &Uint8Array::new_with_length(0)).await? {
        if answer.status() != 200 {
            return Ok(answer);
        }
        let listed = MemberPage::members_of(&http::body_text(answer.text()).await?);
        let listed = listed.ok_or_else(|| Error::new("a shard's list is no page"))?;
        listed.into_iter().for_each(|member| first.take(member));
    }
    let (members, next) = page.cut(first);
    let next_link = next.map(|next| {
        let token = sign_continuation(&shards.config.keys, shards.hub, group, &next.after);
        rest::next_link(origin, shards.hub, group, page, &next, &token)
    });
    http::rest(rest::respond(Outcome::Members(MemberPage { members, next_link })))
}

/// The operation that a request asks for, once its caller is known to be allowed exactly this URL.
fn authorised(
    method: &str,
    request: &Request,
    url: RequestUrl<'_>,
    config: &Config,
) -> std::result::Result<Operation, Refusal> {
    let route = Route::find(method, url.path)?;
    if route.needs_token() {
        check_token(request, url, config)?;
    }
    route.operation(url.query)
}

/// Whether a request has a token for exactly its URL.
pub(crate) fn check_token(
    request: &Request,
    url: RequestUrl<'_>,
    config: &Config,
) -> std::result::Result<(), Refusal> {
    let header = request.headers().get("Authorization").ok().flatten().unwrap_or_default();
    let token = bearer(&header).ok_or(Refusal::Unauthorized)?;
    let hosts = Hosts { requested: url.host, accepted: &config.accepted_hosts };
    let audience = ServiceAudience { hosts, path: url.path };
    verify_service(&config.keys, now(), token, &audience).map_err(|_| Refusal::Unauthorized)
}
