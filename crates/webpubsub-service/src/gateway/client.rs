//! A client's handshake: what its [`ClientRequest`] asks for, step by step.

use webpubsub_auth::TokenError;
use webpubsub_protocol::client::endpoint::ClientEndpoint;
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::name::HubName;
use webpubsub_shard::{EventPolicy, Full};

use super::{Answer, Gateway, GatewayError, Host, Incoming};
use crate::connect::{
    Admission, Begun, ClientRequest, ConnectRefusal, PlacementStep, Recover, connect_handler,
};
use crate::object_api::{AdmittedClient, Offered, ShardCall, object_name};

/// Why a client does not get its connection.
enum Stopped<E> {
    /// It is refused.
    Refused(ConnectRefusal),
    /// What the service was doing has failed.
    Failed(&'static str, E),
}

impl<E> From<ConnectRefusal> for Stopped<E> {
    fn from(refusal: ConnectRefusal) -> Self {
        Self::Refused(refusal)
    }
}

impl<H: Host> Gateway<'_, H> {
    /// Answers one request to a client's endpoint.
    pub(super) async fn client(&self, asked: Incoming<'_>, endpoint: &ClientEndpoint) -> Answer<H::Answer> {
        let refusal = match self.handshake(asked, endpoint).await {
            Ok(answer) => return answer,
            Err(Stopped::Refused(refusal)) => refusal,
            Err(Stopped::Failed(what, error)) => {
                self.host.log_failure(what, &error);
                ConnectRefusal::Unavailable
            }
        };
        if let Some(what) = refusal.logged() {
            self.host.log_refusal(&format!("{what} {}", endpoint.hub), &refusal);
        }
        Answer::Respond(refusal.response())
    }

    async fn handshake(
        &self,
        asked: Incoming<'_>,
        endpoint: &ClientEndpoint,
    ) -> Result<Answer<H::Answer>, Stopped<H::Error>> {
        let (is_upgrade, hub) = (self.is_upgrade(asked), &endpoint.hub);
        let offer = self.host.header("Sec-WebSocket-Protocol");
        let Incoming { url, authorization, .. } = asked;
        let client = ClientRequest { endpoint, url, is_upgrade, authorization, offer: offer.as_deref() };
        let begun = client.begin(self.host.now(), self.config);
        self.meets(is_of_unknown_key(&begun));
        let verified = match begun? {
            Begun::NeedsView(verified) => verified,
            Begun::Recover(recover) => {
                let recovered = self.recovered(hub, recover).await;
                return recovered.map_err(|error| Stopped::Failed("having a connection recovered", error));
            }
        };
        let view = if verified.has_token() {
            self.view(hub).await.map(Some)
        } else {
            self.view_for_anyone(hub).await
        };
        let view = view.map_err(|error| Stopped::Failed("asking a hub's directory", error))?;
        let (admission, policy) = verified.viewed(self.config, view.as_deref())?;
        self.place(admission, &policy, hub).await
    }

    /// Has a connection recovered by its shard.
    async fn recovered(&self, hub: &HubName, recover: Recover<'_>) -> Result<Answer<H::Answer>, H::Error> {
        if let Some((connection, shard)) = recover.connection {
            let call = ShardCall::Recover(connection, recover.reconnection_token.to_owned());
            let (answer, status, _) = self.host.offer(&object_name(hub, shard), call).await?;
            match Offered::of_status(status) {
                Some(Offered::Accepted) => return Ok(Answer::Pass(answer)),
                Some(Offered::NotRecoverable) => {}
                Some(Offered::Full(_)) | None => return Err(GatewayError::NoOffer.into()),
            }
        }
        // On a socket that is not an object's, so that its close frame leaves right away.
        Ok(Answer::AcceptAndClose(CloseCause::NotRecoverable, recover.subprotocol.map(str::to_owned)))
    }

    /// Places a client on a shard, once its handler has allowed it if there is one.
    async fn place(
        &self,
        mut admission: Admission<'_>,
        policy: &EventPolicy,
        hub: &HubName,
    ) -> Result<Answer<H::Answer>, Stopped<H::Error>> {
        let Self { host, config, .. } = self;
        let failed = |error| Stopped::Failed("offering a client to its shard", error);
        let handler = connect_handler(policy);
        let asks_now = admission.is_asked_first();
        if handler.is_some() && !asks_now {
            admission.ask_later(&host.headers());
        }
        let handler = handler.filter(|_| asks_now);
        let mut random = [0; 20];
        host.fill_random(&mut random).map_err(failed)?;
        let loads = host.with_views(|views| views.loads(hub));
        let mut placing = admission.placing(host.now(), config, loads, random, handler.is_some());
        let mut refused = None;
        loop {
            refused = match placing.next(host.now(), refused) {
                PlacementStep::Room(shard) => {
                    let name = object_name(hub, shard);
                    let (_, status, _) = host.offer(&name, ShardCall::Room).await.map_err(failed)?;
                    full(status)
                }
                PlacementStep::Call(shard) => {
                    if let Some(handler) = handler {
                        let connection = placing.connection(shard);
                        let headers = host.headers();
                        host.ask_handler(&mut admission, (policy, handler), &connection, &headers).await?;
                    }
                    None
                }
                PlacementStep::Offer(shard) => {
                    let (connection, is_counted) = (placing.connection(shard), placing.is_counted());
                    let client = AdmittedClient {
                        reconnection_token: admission.reconnection_token(host.now(), config, &connection),
                        connection,
                        request: admission.request.clone(),
                        subprotocol: admission.subprotocol.map(str::to_owned),
                        is_counted,
                    };
                    let call = ShardCall::Connect(Box::new(client));
                    let offered = host.offer(&object_name(hub, shard), call).await;
                    let (answer, status, connections) = offered.map_err(failed)?;
                    if let Some(connections) = connections {
                        placing.record(host.now(), connections);
                    }
                    let full = full(status);
                    if full.is_none() {
                        // The count is not for the client.
                        return Ok(match Offered::of_status(status) {
                            Some(Offered::Accepted) if is_counted => {
                                Answer::Accept(answer, admission.subprotocol.map(str::to_owned))
                            }
                            Some(_) | None => Answer::Pass(answer),
                        });
                    }
                    full
                }
                PlacementStep::Full(why) => return Err(ConnectRefusal::Full(why).into()),
            };
        }
    }
}

/// Whether a client's token may be good for a key that is not known yet.
fn is_of_unknown_key(begun: &Result<Begun<'_>, ConnectRefusal>) -> bool {
    match begun {
        Ok(Begun::Recover(recover)) => recover.connection.is_none(),
        Ok(Begun::NeedsView(_)) => false,
        Err(refusal) => matches!(refusal, ConnectRefusal::Token(TokenError::Signature)),
    }
}

/// Why a shard refuses a client, if it does.
fn full(status: u16) -> Option<Full> {
    match Offered::of_status(status) {
        Some(Offered::Full(why)) => Some(why),
        Some(Offered::Accepted | Offered::NotRecoverable) | None => None,
    }
}
