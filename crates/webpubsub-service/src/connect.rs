//! A client's handshake: from the request for a WebSocket to the shard that accepts it.
//!
//! ```text
//!   ClientRequest::begin ──┬── Recover
//!                          └── Verified::viewed ── Admission ── Placing ──┬── Room, Offer
//!                                                      └── call, judge ───┴── Call
//! ```
//!
//! Every step may end in a [`ConnectRefusal`]. The order of the checks is that of the steps.
//!
//! Source: docs/spec/client.md#handshake.

mod placing;
mod refusal;

use std::mem;

use webpubsub_auth::{
    ClientAudience, ClientClaims, Hosts, TokenError, bearer, sign_reconnection_token, verify_client,
    verify_reconnection_token,
};
use webpubsub_protocol::client::endpoint::{ClientEndpoint, EndpointForm, Recovery, SimpleMode};
use webpubsub_protocol::client::{Negotiated, Subprotocol};
use webpubsub_protocol::event_handler::connect::{ConnectAnswer, ConnectBody};
use webpubsub_protocol::event_handler::{CallFailure, Cookies, Event, HandlerAnswer};
use webpubsub_protocol::name::{ConnectionId, HubName};
use webpubsub_protocol::time::Timestamp;
use webpubsub_protocol::url::RequestUrl;
use webpubsub_shard::{AnonymousConnectPolicy, ConnectRequest, EventHandler, EventPolicy, ShardId};

use crate::config::Config;
use crate::event_call::{EventCall, Newcomer, first_attempt};
use crate::event_driver::{EventHost, Keep};
use crate::view::{HubView, SharedLoads};

pub use placing::{PlacementHost, Placing, ShardOffer, shards_for};
pub use refusal::ConnectRefusal;
pub(crate) use refusal::{full_status, text};

/// A request to a client's endpoint.
#[derive(Clone, Copy)]
pub struct ClientRequest<'a> {
    /// What its URL asks for.
    pub endpoint: &'a ClientEndpoint,
    /// The URL.
    pub url: RequestUrl<'a>,
    /// Whether it is to become a WebSocket.
    pub is_upgrade: bool,
    /// The header `Authorization`; empty for none.
    pub authorization: &'a str,
    /// The header `Sec-WebSocket-Protocol`.
    pub offer: Option<&'a str>,
}

/// What a request needs next.
pub enum Begun<'a> {
    /// To have a connection recovered.
    Recover(Recover<'a>),
    /// The view of the hub.
    NeedsView(Verified<'a>),
}

/// A client that wants its connection back.
pub struct Recover<'a> {
    /// The connection and its shard, which says whether it can be recovered. Where this is `None` it cannot.
    /// Such a client is accepted and closed with [`CloseCause::NotRecoverable`]: after an HTTP error it would
    /// try again until its time is up.
    ///
    /// Source: docs/spec/client.md#recovery.
    ///
    /// [`CloseCause::NotRecoverable`]: webpubsub_protocol::close::CloseCause::NotRecoverable
    pub connection: Option<(ConnectionId, ShardId)>,
    /// The token that proves it, which can recover the connection again.
    pub reconnection_token: &'a str,
    /// What `Sec-WebSocket-Protocol` answers.
    pub subprotocol: Option<&'a str>,
}

/// A client that has a valid token, or none.
pub struct Verified<'a> {
    request: ClientRequest<'a>,
    claims: Option<ClientClaims>,
}

/// A client that may connect, unless an event handler or all shards refuse it.
pub struct Admission<'a> {
    /// What its shard receives.
    pub request: ConnectRequest,
    /// What `Sec-WebSocket-Protocol` answers.
    pub subprotocol: Option<&'a str>,
    client: ClientRequest<'a>,
    /// How many shards of the hub take new clients.
    accepting: u16,
    claims: Vec<(String, Vec<String>)>,
    /// Where its handler is called.
    url: String,
    /// The body of the handler's last answer that was no success.
    words: Vec<u8>,
}

/// What the event handler that decides on a client is asked.
#[derive(Clone, Copy)]
pub struct ConnectQuestion<'q, 'p> {
    /// How the hub delivers events.
    pub policy: &'p EventPolicy,
    /// The handler, by [`connect_handler`].
    pub handler: &'q EventHandler,
    /// The connection that the client is to have.
    pub connection: &'q ConnectionId,
    /// Names and values of the request's headers.
    pub headers: &'q [(String, String)],
}

impl<'a> ClientRequest<'a> {
    /// Checks what needs no view of the hub: the upgrade, and the token.
    ///
    /// # Errors
    /// Why the client is refused.
    pub fn begin(self, now: Timestamp, config: &Config) -> Result<Begun<'a>, ConnectRefusal> {
        if !self.is_upgrade {
            return Err(ConnectRefusal::NoUpgrade);
        }
        let ClientEndpoint { hub, form, access_token, recovery, .. } = self.endpoint;
        if let Some(recovery) = recovery {
            return Ok(Begun::Recover(Recover {
                connection: recoverable(now, config, hub, recovery),
                reconnection_token: recovery.reconnection_token.as_deref().unwrap_or_default(),
                subprotocol: Subprotocol::negotiate(self.offer).answer,
            }));
        }
        let hosts = Hosts { requested: self.url.host, accepted: &config.accepted_hosts };
        let audience = ClientAudience { hosts, hub, form: *form };
        let token = access_token.as_deref().or_else(|| bearer(self.authorization));
        let claims =
            token.map(|token| verify_client(&config.keys.get().access, now, token, &audience)).transpose();
        Ok(Begun::NeedsView(Verified { request: self, claims: claims.map_err(ConnectRefusal::Token)? }))
    }

    /// Whether the client speaks MQTT.
    fn is_mqtt(self) -> bool {
        self.endpoint.form == EndpointForm::Mqtt
    }

    /// The subprotocol that the client's offer comes to.
    ///
    /// MQTT's clients have to offer theirs: some insist that the answer names it, others wait for an answer to
    /// their CONNECT that a connection without it would not give.
    ///
    /// Source: docs/spec/mqtt.md#endpoint.
    fn negotiate(self) -> Result<Negotiated<'a>, ConnectRefusal> {
        if !self.is_mqtt() {
            return Ok(Subprotocol::negotiate(self.offer));
        }
        let mut offered = Subprotocol::offered(self.offer);
        let answer = offered.find(|name| Some(*name) == Subprotocol::Mqtt.name());
        let answer = Some(answer.ok_or(ConnectRefusal::NoMqtt)?);
        Ok(Negotiated { subprotocol: Subprotocol::Mqtt, answer })
    }

    /// What a client's frames mean, of which only one without a subprotocol of ours has a choice.
    fn mode(self, subprotocol: Subprotocol) -> Result<SimpleMode, ConnectRefusal> {
        if subprotocol == Subprotocol::Simple {
            SimpleMode::parse(&self.endpoint.query).map_err(ConnectRefusal::Mode)
        } else {
            Ok(SimpleMode::SendEvent)
        }
    }
}

/// The connection that a client proves to have had, and its shard.
fn recoverable(
    now: Timestamp,
    config: &Config,
    hub: &HubName,
    recovery: &Recovery,
) -> Option<(ConnectionId, ShardId)> {
    let connection = ConnectionId::parse(recovery.connection_id.as_str()).ok()?;
    let token = recovery.reconnection_token.as_deref().unwrap_or_default();
    verify_reconnection_token(&config.keys.get().access, now, token, &connection, hub).ok()?;
    let shard = ShardId::of(&connection)?;
    Some((connection, shard))
}

impl<'a> Verified<'a> {
    /// Whether the client has a token. For one without, a hub that has never been used is not looked at.
    #[must_use]
    pub const fn has_token(&self) -> bool {
        self.claims.is_some()
    }

    /// Checks what depends on the settings of the hub, and the rest of the request. `view` is `None` for a
    /// hub that was not looked at. Returns how the hub delivers events, too.
    ///
    /// # Errors
    /// Why the client is refused.
    pub fn viewed(
        self,
        config: &Config,
        view: Option<&HubView>,
    ) -> Result<(Admission<'a>, EventPolicy), ConnectRefusal> {
        let Self { request: client, claims } = self;
        let missing = ConnectRefusal::Token(TokenError::Missing);
        let hub = &client.endpoint.hub;
        let Some(view) = view else { return Err(missing) };
        let settings = view.settings(config, hub);
        let claims = match claims {
            Some(claims) => claims,
            None if settings.anonymous_connect == AnonymousConnectPolicy::Allow => ClientClaims::default(),
            None => return Err(missing),
        };
        let negotiated = client.negotiate()?;
        let mode = client.mode(negotiated.subprotocol)?;
        if !config.limits.allows_groups(claims.groups.len()) {
            return Err(ConnectRefusal::TooManyGroups);
        }
        let request = ConnectRequest {
            user: claims.user_id,
            roles: claims.roles,
            groups: claims.groups,
            subprotocol: negotiated.subprotocol,
            mode,
            custom_subprotocol: None,
            origin: claims.host.unwrap_or_else(|| config.hosts_without_token(client.url.host)),
            state: None,
            cookies: Cookies::default(),
            connect_body: None,
        };
        let admission = Admission {
            request,
            subprotocol: negotiated.answer,
            client,
            accepting: view.map.accepting,
            claims: claims.claims,
            url: String::new(),
            words: Vec::new(),
        };
        Ok((admission, config.policy(hub, settings)))
    }
}

/// The event handler that decides on the clients of a hub, if there is one.
#[must_use]
pub fn connect_handler(policy: &EventPolicy) -> Option<&EventHandler> {
    policy.settings.handler_for(&Event::Connect { body: String::new() }).map(|(_, handler)| handler)
}

impl Admission<'_> {
    /// Whether a handler, if one decides on clients, is called before the client has its socket. One of MQTT says
    /// only over its socket who it is.
    #[must_use]
    pub fn is_asked_first(&self) -> bool {
        !self.client.is_mqtt()
    }

    /// Leaves the call of the handler to the shard, which needs what the request says: names and values of its
    /// headers are given.
    ///
    /// Source: docs/spec/mqtt.md#connect-event.
    pub fn ask_later(&mut self, headers: &[(String, String)]) {
        self.request.connect_body = Some(self.connect_body(headers));
    }

    fn connect_body(&self, headers: &[(String, String)]) -> String {
        let ClientRequest { url, offer, .. } = self.client;
        ConnectBody { claims: &self.claims, query: url.query, headers, offer }.encode()
    }

    /// Begins to place the client on a shard; `loads` are what is known of the shards of its hub.
    #[must_use]
    pub fn placing(
        &self,
        now: Timestamp,
        config: &Config,
        loads: SharedLoads,
        random: [u8; 20],
        has_handler: bool,
    ) -> Placing {
        let accepting = shards_for(self.request.subprotocol, self.accepting);
        Placing::new(now, loads, random, accepting, config.connection_limits(), has_handler)
    }

    /// The call of the handler. `variable` returns a variable or secret of the host by its name.
    ///
    /// Source: docs/spec/cloudevents.md#connect.
    pub fn call<'p>(
        &mut self,
        now: Timestamp,
        config: &Config,
        question: ConnectQuestion<'_, 'p>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> EventCall<'p> {
        let ConnectQuestion { policy, handler, connection, headers } = question;
        let event = Event::Connect { body: self.connect_body(headers) };
        let ConnectRequest { user, origin, .. } = &self.request;
        let newcomer = Newcomer { connection, user: user.as_ref(), origin };
        let call = first_attempt(now, policy, handler, newcomer, &event);
        self.url.clone_from(&call.url);
        let mut call = EventCall::of(policy.hub.as_str(), call, &config.keys.get().access, variable);
        call.retry(now, policy, handler);
        call
    }

    /// Makes of the admission what the handler's answer says.
    ///
    /// # Errors
    /// Why the client is not allowed to connect.
    pub fn judge(
        &mut self,
        now: Timestamp,
        config: &Config,
        answer: HandlerAnswer,
    ) -> Result<(), CallFailure> {
        if let Some(failure) = CallFailure::of_status(answer.status) {
            self.words = answer.body;
            return Err(failure);
        }
        let chosen = self.request.apply(ConnectAnswer::parse(&answer)?, self.client.offer, &config.limits)?;
        self.subprotocol = chosen.or(self.subprotocol);
        self.request.cookies.take(now, &self.url, &answer.cookies);
        self.request.state = answer.state;
        Ok(())
    }

    /// Goes on once the call of the handler has come to this.
    ///
    /// # Errors
    /// Why the client is refused.
    pub fn called(&mut self, outcome: Result<(), CallFailure>) -> Result<(), ConnectRefusal> {
        if let Err(failure) = outcome {
            let words = mem::take(&mut self.words);
            return Err(ConnectRefusal::Handler(failure, String::from_utf8(words).unwrap_or_default()));
        }
        self.request.mode = self.client.mode(self.request.subprotocol)?;
        Ok(())
    }

    /// Calls the handler, and makes of the admission what it answers.
    ///
    /// # Errors
    /// Why the client is refused.
    pub async fn ask_handler<H: EventHost>(
        &mut self,
        host: &H,
        keep: &Keep<'_>,
        config: &Config,
        question: ConnectQuestion<'_, '_>,
    ) -> Result<(), ConnectRefusal> {
        let variable = |name: &str| host.variable(name);
        let mut call = self.call(host.now(), config, question, &variable);
        let mut judge = |answer: HandlerAnswer| self.judge(host.now(), config, answer);
        let outcome = call.make(host, keep, Some(&mut judge)).await;
        self.called(outcome)
    }

    /// The token by which this connection of the client can be recovered, if it can be.
    #[must_use]
    pub fn reconnection_token(
        &self,
        now: Timestamp,
        config: &Config,
        connection: &ConnectionId,
    ) -> Option<String> {
        let is_reliable = self.request.subprotocol.is_reliable();
        let hub = &self.client.endpoint.hub;
        is_reliable.then(|| sign_reconnection_token(&config.keys.get().access, now, connection, hub))
    }
}
