//! A client's handshake: what its [`ClientRequest`] asks for, step by step.

use webpubsub_auth::TokenError;
use webpubsub_protocol::client::endpoint::ClientEndpoint;
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::name::{ConnectionId, HubName};
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{EventHandler, EventPolicy, Full, ShardId};

use super::{Answer, Gateway, GatewayError, Host, Incoming};
use crate::connect::{
    Admission, Begun, ClientRequest, ConnectQuestion, ConnectRefusal, PlacementHost, Recover, ShardOffer,
    connect_handler,
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

impl<E> From<Full> for Stopped<E> {
    fn from(why: Full) -> Self {
        ConnectRefusal::Full(why).into()
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
            self.log_refusal(&format!("{what} {}", endpoint.hub), &refusal);
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
                Some(Offered::Refused) => {}
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
        let handler = connect_handler(policy);
        let asks_now = admission.is_asked_first();
        if handler.is_some() && !asks_now {
            admission.ask_later(&host.headers());
        }
        let handler = handler.filter(|_| asks_now);
        let mut random = [0; 20];
        host.fill_random(&mut random).map_err(failed)?;
        let loads = host.with_views(|views| views.loads(hub));
        let placing = admission.placing(host.now(), config, loads, random, handler.is_some());
        placing.place(&mut PlacedClient { gateway: self, admission, handler, policy, hub }).await
    }
}

/// A client that is being placed on a shard of its hub.
struct PlacedClient<'a, 'b, H> {
    gateway: &'a Gateway<'a, H>,
    admission: Admission<'b>,
    /// The event handler that decides on it now.
    handler: Option<&'a EventHandler>,
    policy: &'a EventPolicy,
    hub: &'a HubName,
}

impl<H: Host> PlacementHost for PlacedClient<'_, '_, H> {
    type Placed = Answer<H::Answer>;
    type Stopped = Stopped<H::Error>;

    fn now(&self) -> Timestamp {
        self.gateway.host.now()
    }

    async fn ask_for_room(&mut self, shard: ShardId) -> Result<Option<Full>, Self::Stopped> {
        let offered = self.gateway.host.offer(&object_name(self.hub, shard), ShardCall::Room).await;
        let (_, status, _) = offered.map_err(failed)?;
        Ok(full(status))
    }

    async fn ask_handler(&mut self, connection: ConnectionId) -> Result<(), Self::Stopped> {
        let Self { gateway: Gateway { host, config, .. }, admission, handler, policy, hub } = self;
        let Some(handler) = handler else { return Ok(()) };
        let (events, headers) = (host.events(hub), host.headers());
        let keep = |record: &str| host.keep_delivery(hub, record);
        let question = ConnectQuestion { policy, handler, connection: &connection, headers: &headers };
        Ok(admission.ask_handler(&events, &keep, config, question).await?)
    }

    async fn offer(
        &mut self,
        shard: ShardId,
        connection: ConnectionId,
        is_counted: bool,
    ) -> Result<ShardOffer<Self::Placed>, Self::Stopped> {
        let Self { gateway: Gateway { host, config, .. }, admission, hub, .. } = self;
        let client = AdmittedClient {
            reconnection_token: admission.reconnection_token(host.now(), config, &connection),
            connection,
            request: admission.request.clone(),
            subprotocol: admission.subprotocol.map(str::to_owned),
            is_counted,
        };
        let call = ShardCall::Connect(Box::new(client));
        let (answer, status, connections) =
            host.offer(&object_name(hub, shard), call).await.map_err(failed)?;
        let placed = match (full(status), Offered::of_status(status)) {
            (Some(full), _) => Err(full),
            // The count is not for the client.
            (None, Some(Offered::Accepted)) if is_counted => {
                Ok(Answer::Accept(answer, admission.subprotocol.map(str::to_owned)))
            }
            (None, _) => Ok(Answer::Pass(answer)),
        };
        Ok((placed, connections))
    }
}

const fn failed<E>(error: E) -> Stopped<E> {
    Stopped::Failed("offering a client to its shard", error)
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
        Some(Offered::Accepted | Offered::Refused) | None => None,
    }
}
