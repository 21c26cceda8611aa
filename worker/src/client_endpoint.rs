//! A client's handshake: does what a [`ClientRequest`] asks for, step by step.

use webpubsub_protocol::client::endpoint::ClientEndpoint;
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::name::{ConnectionId, HubName};
use webpubsub_service::connect::{
    Admission, Begun, ClientRequest, ConnectRefusal, PlacementStep, Recover, connect_handler,
};
use webpubsub_service::{AdmittedClient, Config, Offered, ShardCall, object_name};
use webpubsub_shard::{EventHandler, EventPolicy, Full};
use worker::Env;
use worker::web_sys::{Request, Response};

use crate::event_handler::{Caller, Calls, keep_delivery};
use crate::http::Asked;
use crate::objects::offer_client;
use crate::platform::{Error, Result, WebSocketPair, now};
use crate::sockets::refuse_socket;
use crate::{http, log, view};

/// Answers one request to a client's endpoint.
pub(crate) async fn answer(
    asked: Asked<'_>,
    endpoint: &ClientEndpoint,
    env: &Env,
    config: &Config,
) -> Result<Response> {
    let offer = asked.request.headers().get("Sec-WebSocket-Protocol")?;
    let Asked { request, url, authorization, .. } = asked;
    let is_upgrade = asked.is_upgrade()?;
    let client = ClientRequest { endpoint, url, is_upgrade, authorization, offer: offer.as_deref() };
    let hub = &endpoint.hub;
    let verified = match client.begin(now(), config) {
        Ok(Begun::NeedsView(verified)) => verified,
        Ok(Begun::Recover(recover)) => {
            return match recovered(hub, recover, env).await {
                Ok(response) => Ok(response),
                Err(error) => unavailable(hub, "having a connection recovered", &error),
            };
        }
        Err(refusal) => return refuse(hub, refusal),
    };
    let view = if verified.has_token() {
        view::of(env, config, hub).await.map(Some)
    } else {
        view::for_anyone(env, config, hub).await
    };
    let view = match view {
        Ok(view) => view,
        Err(error) => return unavailable(hub, "asking a hub's directory", &error),
    };
    let (admission, policy) = match verified.viewed(config, view.as_deref()) {
        Ok(viewed) => viewed,
        Err(refusal) => return refuse(hub, refusal),
    };
    let handler = connect_handler(&policy).map(|handler| Handler { request, policy: &policy, handler });
    match connect(admission, handler, hub, env, config).await {
        Ok(response) => Ok(response),
        Err(error) => unavailable(hub, "handing a client to its shard", &error),
    }
}

/// Refuses a client.
fn refuse(hub: &HubName, refusal: ConnectRefusal) -> Result<Response> {
    if let Some(what) = refusal.logged() {
        log::refusal(&format!("{what} {hub}"), &refusal);
    }
    http::rest(refusal.response())
}

/// Refuses a client since something failed.
fn unavailable(hub: &HubName, what: &str, error: &Error) -> Result<Response> {
    log::failure(what, error);
    refuse(hub, ConnectRefusal::Unavailable)
}

/// Has a connection recovered by its shard. One that cannot be is closed on a socket that is not an
/// object's, so that its close frame leaves right away.
async fn recovered(hub: &HubName, recover: Recover<'_>, env: &Env) -> Result<Response> {
    if let Some((connection, shard)) = recover.connection {
        let name = object_name(hub, shard);
        let call = ShardCall::Recover(connection, recover.reconnection_token.to_owned());
        let answer = offer_client(env, &name, &call).await?;
        match Offered::of_status(answer.status()) {
            Some(Offered::Accepted) => return Ok(answer),
            Some(Offered::NotRecoverable) => {}
            Some(Offered::Full(_)) | None => return Err(Error::new("the shard failed")),
        }
    }
    let pair = WebSocketPair::new();
    let cause = CloseCause::NotRecoverable;
    refuse_socket(&pair.server(), cause.code().0, cause.reason());
    http::switch_protocols(&pair.client(), recover.subprotocol)
}

/// The event handler that decides on a client, and the client's request.
struct Handler<'a> {
    request: &'a Request,
    policy: &'a EventPolicy,
    handler: &'a EventHandler,
}

/// Places a client on a shard, once its handler has allowed it if there is one.
async fn connect(
    mut admission: Admission<'_>,
    handler: Option<Handler<'_>>,
    hub: &HubName,
    env: &Env,
    config: &Config,
) -> Result<Response> {
    let mut random = [0; 20];
    getrandom::fill(&mut random).map_err(Error::new)?;
    let mut placing = admission.placing(now(), config, view::loads(hub), random, handler.is_some());
    let mut refused = None;
    loop {
        refused = match placing.next(now(), refused) {
            PlacementStep::Room(shard) => {
                full_of(&offer_client(env, &object_name(hub, shard), &ShardCall::Room).await?)
            }
            PlacementStep::Call(shard) => {
                if let Some(handler) = &handler
                    && let Err(refusal) =
                        handler.call(&placing.connection(shard), &mut admission, env, config).await
                {
                    return refuse(hub, refusal);
                }
                None
            }
            PlacementStep::Offer(shard) => {
                let connection = placing.connection(shard);
                let is_counted = placing.is_counted();
                let client = AdmittedClient {
                    reconnection_token: admission.reconnection_token(now(), config, &connection),
                    connection,
                    request: admission.request.clone(),
                    subprotocol: admission.subprotocol.map(str::to_owned),
                    is_counted,
                };
                let call = ShardCall::Connect(Box::new(client));
                let answer = offer_client(env, &object_name(hub, shard), &call).await?;
                if is_counted
                    && let Some(Ok(connections)) =
                        answer.headers().get(Offered::CONNECTIONS)?.map(|count| count.parse())
                {
                    placing.record(now(), connections);
                }
                let full = full_of(&answer);
                if full.is_none() {
                    return match is_counted.then(|| http::web_socket(&answer)).flatten() {
                        // Without the count.
                        Some(socket) => http::switch_protocols(&socket, admission.subprotocol),
                        None => Ok(answer),
                    };
                }
                full
            }
            PlacementStep::Full(why) => return refuse(hub, ConnectRefusal::Full(why)),
        };
    }
}

/// Why a shard refuses a client, if it does.
fn full_of(answer: &Response) -> Option<Full> {
    match Offered::of_status(answer.status()) {
        Some(Offered::Full(why)) => Some(why),
        Some(Offered::Accepted | Offered::NotRecoverable) | None => None,
    }
}

impl Handler<'_> {
    /// Calls the handler for this connection of the client, and makes of the admission what it says.
    async fn call(
        &self,
        connection: &ConnectionId,
        admission: &mut Admission<'_>,
        env: &Env,
        config: &Config,
    ) -> std::result::Result<(), ConnectRefusal> {
        let mut headers = Vec::new();
        let mut all = http::headers_with_prefix(&self.request.headers(), "").into_iter();
        while let (Some(name), Some(value)) = (all.next(), all.next()) {
            headers.push((name, value));
        }
        let hub = self.policy.hub.as_str();
        let keep = |delivery: &str| keep_delivery(env, hub, delivery);
        let caller = Caller { env, hub, calls: &Calls::new(), id: 0.0, keep: &keep };
        let deciding = (self.policy, self.handler);
        admission.ask_handler(&caller, config, deciding, connection, &headers).await
    }
}
