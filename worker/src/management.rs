//! The REST API: a server's request to the hub's shards and back.

use webpubsub_auth::{Hosts, ServiceAudience, bearer, sign_client, verify_service};
use webpubsub_protocol::rest::{self, Operation, Outcome, Refusal, Route};
use webpubsub_protocol::url::RequestUrl;
use worker::{Env, Request, Response, Result};

use crate::config::Config;
use crate::perform::now;
use crate::{http, log, route};

/// Answers one request under `/api/`.
pub(crate) async fn answer(
    request: Request,
    url: RequestUrl<'_>,
    env: &Env,
    config: &Config,
) -> Result<Response> {
    let method = request.inner().method();
    let operation = match authorised(&method, &request, url, config) {
        Ok(operation) => operation,
        Err(refusal) => return http::rest(rest::refuse(&refusal, &method)),
    };
    match &operation {
        Operation::Health => http::rest(rest::respond(Outcome::Healthy)),
        Operation::GenerateToken { hub, request } => {
            let origin = format!("{}://{}", url.scheme, url.host);
            let token = sign_client(&config.keys, now(), hub, request, &origin);
            http::rest(rest::respond(Outcome::Token(token)))
        }
        Operation::OpenApi => http::rest(rest::refuse(&Refusal::UnknownPath, &method)),
        Operation::SendToAll { hub, .. }
        | Operation::SendToGroup { hub, .. }
        | Operation::SendToUser { hub, .. }
        | Operation::SendToConnection { hub, .. }
        | Operation::ConnectionExists { hub, .. }
        | Operation::GroupExists { hub, .. }
        | Operation::CloseConnection { hub, .. }
        | Operation::RemoveConnectionFromAllGroups { hub, .. }
        | Operation::AddConnectionToGroup { hub, .. }
        | Operation::RemoveConnectionFromGroup { hub, .. }
        | Operation::GrantPermission { hub, .. }
        | Operation::CheckPermission { hub, .. }
        | Operation::RevokePermission { hub, .. }
        | Operation::CloseAll { hub, .. }
        | Operation::CloseGroup { hub, .. }
        | Operation::CloseUser { hub, .. }
        | Operation::AddToGroups { hub }
        | Operation::RemoveFromGroups { hub }
        | Operation::ListMembers { hub, .. }
        | Operation::AddUserToGroup { hub, .. }
        | Operation::RemoveUserFromGroup { hub, .. }
        | Operation::RemoveUserFromAllGroups { hub, .. }
        | Operation::UserExists { hub, .. } => {
            match route::carry_out(hub, &operation, request, url, env, config).await {
                Ok(response) => Ok(response),
                Err(error) => {
                    log::failure("asking a shard", &error);
                    http::rest(rest::refuse(&Refusal::Internal, &method))
                }
            }
        }
    }
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
        let header = request.headers().get("Authorization").ok().flatten().unwrap_or_default();
        let token = bearer(&header).ok_or(Refusal::Unauthorized)?;
        let hosts = Hosts { requested: url.host, accepted: &config.accepted_hosts };
        let audience = ServiceAudience { hosts, path: url.path };
        verify_service(&config.keys, now(), token, &audience).map_err(|_| Refusal::Unauthorized)?;
    }
    route.operation(url.query)
}
