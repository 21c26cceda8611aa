//! The REST API: a server's request to the hub's shards and back.

use webpubsub_auth::{
    Hosts, PublicOrigin, ServiceAudience, TokenError, bearer, sign_client, sign_continuation, verify_service,
};
use webpubsub_protocol::rest::{self, MemberPage, Operation, Outcome, Refusal, Route};
use webpubsub_service::{Assignment, Config, Part, ShardRange, Work};
use webpubsub_shard::Reply;
use worker::Env;

use crate::http::Asked;
use crate::platform::{Result, now};
use crate::route::{Answer, Shards};
use crate::{file, http, log, view};

/// Answers one request under `/api/`.
pub(crate) async fn answer(asked: Asked<'_>, env: &Env, config: &Config) -> Result<Answer> {
    let (operation, origin) = match authorised(asked, config) {
        Ok(authorised) => authorised,
        Err(refusal) => return http::rest(rest::refuse(&refusal, asked.method)).map(Answer::Here),
    };
    let response = match Assignment::of(operation) {
        Assignment::Health => http::rest(rest::respond(Outcome::Healthy)),
        // A file: it changes with the code only.
        Assignment::Document => file(asked.request, env).await,
        Assignment::Token { hub, request } => {
            let token = sign_client(&config.keys, now(), &hub, &request, &origin);
            http::rest(rest::respond(Outcome::Token(token)))
        }
        Assignment::Shards { hub, task } => {
            let map = match view::of(env, config, &hub).await {
                Ok(view) => view.map,
                Err(error) => {
                    log::failure("asking a hub's directory", &error);
                    return http::rest(rest::refuse(&Refusal::Internal, asked.method)).map(Answer::Here);
                }
            };
            let shards = Shards { env, hub: &hub, range: ShardRange::below(map.reached) };
            let only = shards.range.only(&task.place);
            if let Some(shard) = only
                && !matches!(task.work, Work::List { .. })
            {
                return Ok(Answer::Shards(shards.forward(shard, asked.request)));
            }
            let answer = async {
                let reply = match shards.gather(&task, asked, Vec::new()).await? {
                    Part::Replied(reply) => reply,
                    Part::Refused(response) => return Ok(response),
                };
                http::rest(match (&task.work, reply) {
                    (Work::List { group, page }, Reply::Members(members)) => {
                        let (members, next) = page.cut(members);
                        let next_link = next.map(|next| {
                            let token = sign_continuation(&config.keys, &hub, group, &next.after);
                            rest::next_link(&origin, &hub, group, page, &next, &token)
                        });
                        rest::respond(Outcome::Members(MemberPage { members, next_link }))
                    }
                    (_, reply) => task.respond(reply),
                })
            };
            answer.await.or_else(|error| {
                log::failure("asking a shard", &error);
                http::rest(rest::refuse(&Refusal::Internal, asked.method))
            })
        }
    };
    response.map(Answer::Here)
}

/// The operation that a request asks for, once its caller is known to be allowed exactly this URL, and
/// the service's origin as the caller knows it.
fn authorised(asked: Asked<'_>, config: &Config) -> std::result::Result<(Operation, String), Refusal> {
    let url = asked.url;
    let route = Route::find(asked.method, url.path)?;
    let origin = if route.needs_token() {
        check_token("a REST request", asked, config)?.to_string()
    } else {
        format!("{}://{}", url.scheme, url.host)
    };
    Ok((route.operation(url.query)?, origin))
}

/// Where the caller of a request, which is called `what` in the log, sees the service, if it has a token
/// for exactly its URL.
pub(crate) fn check_token(
    what: &str,
    asked: Asked<'_>,
    config: &Config,
) -> std::result::Result<PublicOrigin, Refusal> {
    let hosts = Hosts { requested: asked.url.host, accepted: &config.accepted_hosts };
    let audience = ServiceAudience { hosts, path: asked.url.path };
    let token = bearer(asked.authorization).ok_or(TokenError::Missing);
    token.and_then(|token| verify_service(&config.keys, now(), token, &audience)).map_err(|error| {
        log::refusal(&format!("authorising {what}"), &error);
        error.into()
    })
}
