//! A client's handshake: from the upgrade request to the shard that holds its socket.
//!
//! The order of the checks, and the status that each answers with, are section 3 of the client
//! spec.

use webpubsub_auth::{
    ClientAudience, ClientClaims, Hosts, TokenError, bearer, sign_reconnection_token, verify_client,
    verify_reconnection_token,
};
use webpubsub_protocol::client::Subprotocol;
use webpubsub_protocol::client::endpoint::{ClientEndpoint, Recovery, SimpleMode, SimpleModeError};
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::event_handler::connect::ConnectBody;
use webpubsub_protocol::event_handler::{Cookies, Event};
use webpubsub_protocol::name::{ConnectionId, HubName};
use webpubsub_protocol::rest;
use webpubsub_service::{Config, HubView, PlaceStep, Placing, object_name};
use webpubsub_shard::{AnonymousConnectPolicy, ConnectRequest, Full, ShardId};
use worker::Env;
use worker::web_sys::Response;

use crate::connect_handler::Arrival;
use crate::http::Asked;
use crate::objects::offer_client;
use crate::platform::{Error, Result, WebSocketPair, now};
use crate::shard_paths;
use crate::sockets::refuse_socket;
use crate::{http, log, view};

/// Answers one request to a client's endpoint.
pub(crate) async fn answer(
    asked: Asked<'_>,
    endpoint: &ClientEndpoint,
    env: &Env,
    config: &Config,
) -> Result<Response> {
    let Asked { request, url, .. } = asked;
    if !asked.is_upgrade()? {
        return http::text(400, "This is a WebSocket endpoint: connect to it with a WebSocket client.");
    }
    let offer = request.headers().get("Sec-WebSocket-Protocol")?;
    let negotiated = Subprotocol::negotiate(offer.as_deref());
    if let Some(recovery) = &endpoint.recovery {
        return match recover(&endpoint.hub, recovery, env, config).await {
            Ok(Some(response)) => Ok(response),
            Ok(None) => refuse_recovery(negotiated.answer),
            Err(error) => temporarily_impossible("having a connection recovered", &error),
        };
    }

    let token = endpoint.access_token.as_deref().or_else(|| bearer(asked.authorization));
    let audience = ClientAudience {
        hosts: Hosts { requested: url.host, accepted: &config.accepted_hosts },
        hub: &endpoint.hub,
        form: endpoint.form,
    };
    let verified = token.map(|token| verify_client(&config.keys, now(), token, &audience));
    if let Some(Err(error)) = verified {
        return turn_away(&endpoint.hub, error);
    }
    let view = match &verified {
        Some(_) => view::of(env, config, &endpoint.hub).await.map(Some),
        None => view::for_anyone(env, config, &endpoint.hub).await,
    };
    let view = match view {
        Ok(Some(view)) => view,
        Ok(None) => return turn_away(&endpoint.hub, TokenError::Missing),
        Err(error) => return temporarily_impossible("asking a hub's directory", &error),
    };
    let settings = view.settings(config, &endpoint.hub);
    let claims = match verified {
        Some(Ok(claims)) => claims,
        _ if settings.anonymous_connect == AnonymousConnectPolicy::Allow => ClientClaims::default(),
        _ => return turn_away(&endpoint.hub, TokenError::Missing),
    };
    let mode = match mode_of(negotiated.subprotocol, endpoint) {
        Ok(mode) => mode,
        Err(error) => return http::text(400, &format!("Invalid request: {error}.")),
    };

    if !config.limits.allows_groups(claims.groups.len()) {
        return http::text(400, "Invalid request: the token has more groups than a client may be in.");
    }
    let admission = ConnectRequest {
        user: claims.user_id,
        roles: claims.roles,
        groups: claims.groups,
        subprotocol: negotiated.subprotocol,
        mode,
        custom_subprotocol: None,
        origin: claims.host.unwrap_or_else(|| config.hosts_without_token(url.host)),
        state: None,
        cookies: Cookies::default(),
    };
    let policy = config.policy(&endpoint.hub, settings);
    let handler = policy.settings.handler_for(&Event::Connect { body: String::new() });
    let mut headers = Vec::new();
    if handler.is_some() {
        let mut all = http::headers_with_prefix(&request.headers(), "").into_iter();
        while let (Some(name), Some(value)) = (all.next(), all.next()) {
            headers.push((name, value));
        }
    }
    let arrival = handler.map(|(_, handler)| Arrival {
        env,
        config,
        policy: &policy,
        handler,
        body: ConnectBody {
            claims: &claims.claims,
            query: url.query,
            headers: &headers,
            offer: offer.as_deref(),
        },
    });
    match connect(endpoint, admission, negotiated.answer, arrival, &view, env, config).await {
        Ok(response) => Ok(response),
        Err(error) => temporarily_impossible("handing a client to its shard", &error),
    }
}

/// Refuses a client whose token opens nothing.
fn turn_away(hub: &HubName, error: TokenError) -> Result<Response> {
    log::refusal(&format!("authorising a client of hub {hub}"), &error);
    match error.answer() {
        (401, why) => http::rest(rest::turn_away(401, why)),
        (status, why) => http::text(status, why),
    }
}

/// Refuses a client in the words of its event handler, if there are any.
fn refused_by_handler(status: u16, words: &str) -> Result<Response> {
    let is_about_access = matches!(status, 401 | 403);
    if is_about_access && words.is_empty() {
        return http::rest(rest::turn_away(status, "The event handler refused the connection."));
    }
    let answer = http::text(status, words)?;
    if is_about_access {
        answer.headers().set("WWW-Authenticate", "Bearer")?;
    }
    Ok(answer)
}

/// What a client's frames mean, of which only one without a subprotocol of ours has a choice.
fn mode_of(
    subprotocol: Subprotocol,
    endpoint: &ClientEndpoint,
) -> std::result::Result<SimpleMode, SimpleModeError> {
    match subprotocol.encoding() {
        None => SimpleMode::parse(&endpoint.query),
        Some(_) => Ok(SimpleMode::SendEvent),
    }
}

/// The client may try again soon.
fn temporarily_impossible(what: &str, error: &Error) -> Result<Response> {
    log::failure(what, error);
    http::try_again(503, "")
}

/// Has a connection recovered by the shard that holds it; `None` if that cannot be.
///
/// Source: docs/spec/client.md#recovery.
async fn recover(hub: &HubName, recovery: &Recovery, env: &Env, config: &Config) -> Result<Option<Response>> {
    let Ok(connection) = ConnectionId::parse(recovery.connection_id.as_str()) else { return Ok(None) };
    let token = recovery.reconnection_token.as_deref().unwrap_or_default();
    if verify_reconnection_token(&config.keys, now(), token, &connection, hub).is_err() {
        return Ok(None);
    }
    let Some(shard) = ShardId::of(&connection) else { return Ok(None) };
    let name = object_name(hub, shard);
    let answer = offer_client(env, &name, shard_paths::RECOVER, connection.as_str()).await?;
    match answer.status() {
        101 => Ok(Some(answer)),
        404 => Ok(None),
        _ => Err(Error::new("the shard failed")),
    }
}

/// Places an admitted client on a shard, once `arrival`'s handler has allowed it if there is one.
async fn connect<'a>(
    endpoint: &ClientEndpoint,
    mut admission: ConnectRequest,
    mut subprotocol: Option<&'a str>,
    arrival: Option<Arrival<'a>>,
    view: &HubView,
    env: &Env,
    config: &Config,
) -> Result<Response> {
    let mut random = [0; 20];
    getrandom::fill(&mut random).map_err(Error::new)?;
    let (loads, limits) = (view::loads(&endpoint.hub), config.connection_limits());
    let mut placing = Placing::new(now(), loads, random, view.map.accepting, limits, arrival.is_some());
    let mut refused = None;
    let full = loop {
        refused = match placing.next(now(), refused) {
            PlaceStep::Room(shard) => {
                let name = object_name(&endpoint.hub, shard);
                full_of(&offer_client(env, &name, shard_paths::ROOM, "").await?)
            }
            PlaceStep::Call(shard) => {
                if let Some(arrival) = &arrival {
                    match arrival.ask(&placing.connection(shard), &mut admission).await {
                        Ok(chosen) => subprotocol = chosen.or(subprotocol),
                        Err((status, words)) => return refused_by_handler(status, &words),
                    }
                    admission.mode = match mode_of(admission.subprotocol, endpoint) {
                        Ok(mode) => mode,
                        Err(error) => return http::text(400, &format!("Invalid request: {error}.")),
                    };
                }
                None
            }
            PlaceStep::Offer(shard) => {
                let connection = placing.connection(shard);
                let token = admission
                    .subprotocol
                    .is_reliable()
                    .then(|| sign_reconnection_token(&config.keys, now(), &connection, &endpoint.hub));
                let client = [
                    connection.as_str(),
                    token.as_deref().unwrap_or_default(),
                    &admission.encode(),
                    subprotocol.unwrap_or_default(),
                ];
                let is_counted = placing.is_counted();
                let path = if is_counted { shard_paths::CONNECT_COUNTED } else { shard_paths::CONNECT };
                let name = object_name(&endpoint.hub, shard);
                let answer = offer_client(env, &name, path, &client.join(" ")).await?;
                if is_counted
                    && let Some(Ok(connections)) =
                        answer.headers().get(shard_paths::CONNECTIONS)?.map(|count| count.parse())
                {
                    placing.record(now(), connections);
                }
                let full = full_of(&answer);
                if full.is_none() {
                    return match is_counted.then(|| http::web_socket(&answer)).flatten() {
                        // Without the count.
                        Some(socket) => http::switch_protocols(&socket, subprotocol),
                        None => Ok(answer),
                    };
                }
                full
            }
            PlaceStep::Full(why) => break why,
        };
    };
    let what = format!("taking a client into hub {}", endpoint.hub);
    log::refusal(&what, &"connection count reaches limit");
    let words = match full {
        Full::Quota => {
            "The hub has as many connections as its CONNECTION_QUOTA. Try again when one has left."
        }
        Full::Shard => "The hub's shards are full. Try again when a connection has left.",
    };
    http::try_again(shard_paths::status(full), words)
}

/// Why a shard refuses a client, if it does.
fn full_of(answer: &Response) -> Option<Full> {
    let status = answer.status();
    [Full::Quota, Full::Shard].into_iter().find(|why| shard_paths::status(*why) == status)
}

/// A recovery that cannot succeed is accepted and closed at once: an HTTP error would make clients
/// try again until their time is up. The socket is not an object's, so that its close frame leaves
/// right away.
///
/// Source: docs/spec/client.md#recovery.
fn refuse_recovery(subprotocol: Option<&str>) -> Result<Response> {
    let pair = WebSocketPair::new();
    let cause = CloseCause::NotRecoverable;
    refuse_socket(&pair.server(), cause.code().0, cause.reason());
    http::switch_protocols(&pair.client(), subprotocol)
}
