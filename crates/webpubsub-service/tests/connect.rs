//! The checks of a client's handshake, in their order, with the status and words of each refusal.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a broken expectation is a failed test")]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use webpubsub_auth::{AudienceError, TokenError, sign, sign_reconnection_token};
use webpubsub_protocol::client::Subprotocol;
use webpubsub_protocol::client::endpoint::{ClientEndpoint, SimpleMode, SimpleModeError};
use webpubsub_protocol::event_handler::{CallFailure, HandlerAnswer};
use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::rest::Response;
use webpubsub_protocol::time::Timestamp;
use webpubsub_protocol::url::RequestUrl;
use webpubsub_service::connect::{
    Admission, Begun, ClientRequest, ConnectQuestion, ConnectRefusal, PlacementHost, Placing, Recover,
    ShardOffer, Verified, connect_handler,
};
use webpubsub_service::{Config, HubView, SharedLoads};
use webpubsub_shard::{EventPolicy, Full, HubSettings, ShardId, ShardMap};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const NAME: &str = "json.reliable.webpubsub.azure.v1";
const MQTT: &str = "/clients/mqtt/hubs/chat";
const ANONYMOUS: &str = r#"{"anonymousConnectPolicy":"allow"}"#;
const HANDLER: &str =
    r#"{"eventHandlers":[{"urlTemplate":"https://example.com/{event}","systemEvents":["connect"]}]}"#;

fn config() -> Config {
    let variables =
        [("WEBPUBSUB_ACCESS_KEY", "0123456789abcdef0123456789abcdef"), ("CLIENT_GROUP_LIMIT", "2")];
    let config = Config::read(&|name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    });
    config.map_err(|error| error.to_string()).unwrap()
}

/// A client's request, of which each test changes what it is about.
struct Client {
    path: &'static str,
    query: String,
    is_upgrade: bool,
    authorization: String,
    offer: Option<&'static str>,
}

impl Default for Client {
    /// A client without a token.
    fn default() -> Self {
        Self {
            path: "/client/hubs/chat",
            query: String::new(),
            is_upgrade: true,
            authorization: String::new(),
            offer: None,
        }
    }
}

impl Client {
    /// A client with a valid token, whose claims are these beside its audience and expiry.
    fn with(claims: &str) -> Self {
        Self::at("/client/hubs/chat", claims)
    }

    /// The same at another path.
    fn at(path: &'static str, claims: &str) -> Self {
        let token = sign(
            &config().keys.get().access,
            &format!(r#"{{"aud":"https://svc.example{path}","exp":1700000060{claims}}}"#),
        );
        Self { path, authorization: format!("Bearer {token}"), ..Self::default() }
    }

    /// A client of MQTT, with a token of these claims.
    fn mqtt(claims: &str) -> Self {
        Self { offer: Some("foo, mqtt"), ..Self::at(MQTT, claims) }
    }

    /// What the first checks come to.
    fn begin<T>(&self, then: impl FnOnce(Result<Begun<'_>, ConnectRefusal>) -> T) -> T {
        let endpoint = ClientEndpoint::parse(self.path, Some(&self.query)).unwrap();
        let url = format!("https://svc.example{}?{}", self.path, self.query);
        let Self { is_upgrade, authorization, offer, .. } = self;
        let request = ClientRequest {
            endpoint: &endpoint,
            url: RequestUrl::split(&url).unwrap(),
            is_upgrade: *is_upgrade,
            authorization,
            offer: *offer,
        };
        then(request.begin(NOW, &config()))
    }

    /// What comes of the client on a hub with these settings, or on one that was not looked at.
    fn viewed<T>(
        &self,
        settings: Option<&str>,
        then: impl FnOnce(Result<(Admission<'_>, EventPolicy), ConnectRefusal>) -> T,
    ) -> T {
        let view = settings.map(|settings| HubView {
            map: ShardMap::new(2),
            settings: Some(HubSettings::parse(settings).unwrap()),
            since: 1,
        });
        self.begin(|begun| {
            then(begun.map(needs_view).and_then(|client| client.viewed(&config(), view.as_ref())))
        })
    }

    /// Why the client is refused, at the latest on a hub with these settings.
    fn refusal(&self, settings: Option<&str>) -> ConnectRefusal {
        self.viewed(settings, |viewed| viewed.err().unwrap())
    }

    /// What the handler's answer makes of a client that it is to decide on.
    fn judged(&self, answer: HandlerAnswer) -> Result<(SimpleMode, Option<String>), ConnectRefusal> {
        self.viewed(Some(HANDLER), |viewed| {
            let (mut admission, policy) = viewed.unwrap();
            let handler = connect_handler(&policy).unwrap();
            let id = ShardId(1).connection_id([7; 16]);
            let question = ConnectQuestion { policy: &policy, handler, connection: &id, headers: &[] };
            let call = admission.call(NOW, &config(), question, &|_| None);
            assert_eq!(call.request().url, "https://example.com/connect");
            let outcome = admission.judge(NOW, &config(), answer);
            admission.called(outcome)?;
            Ok((admission.request.mode, admission.subprotocol.map(str::to_owned)))
        })
    }
}

fn needs_view(begun: Begun<'_>) -> Verified<'_> {
    match begun {
        Begun::NeedsView(verified) => verified,
        Begun::Recover(_) => panic!("a new client is no recovery"),
    }
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| &**value)
}

/// Status, body and what is logged.
fn answer(refusal: ConnectRefusal) -> (u16, String, Option<String>) {
    let log = refusal.logged().map(|what| format!("{what} chat: {refusal}"));
    let Response { status, body, .. } = refusal.response();
    (status, body, log)
}

#[test]
fn each_check_goes_before_those_that_follow() {
    let groups = r#","webpubsub.group":["a","b","c"]"#;
    let mut client =
        Client { is_upgrade: false, query: "webpubsub_mode=x".to_owned(), ..Client::with(groups) };
    let valid = std::mem::replace(&mut client.authorization, "Bearer x".to_owned());
    assert_eq!(client.refusal(None), ConnectRefusal::NoUpgrade);
    client.is_upgrade = true;
    assert_eq!(client.refusal(None), ConnectRefusal::Token(TokenError::Malformed));
    client.authorization = valid;
    assert_eq!(client.refusal(Some("{}")), ConnectRefusal::Mode(SimpleModeError::Mode));
    client.query.clear();
    assert_eq!(client.refusal(Some("{}")), ConnectRefusal::TooManyGroups);
    client.authorization = Client::with(r#","webpubsub.group":["a","b"]"#).authorization;
    client.viewed(Some("{}"), |viewed| assert_eq!(viewed.unwrap().0.request.groups.len(), 2));
}

#[test]
fn a_client_without_a_token_needs_a_hub_that_allows_it() {
    let client = Client { query: "webpubsub_mode=x".to_owned(), ..Client::default() };
    client.begin(|begun| assert!(!needs_view(begun.unwrap()).has_token()));
    Client::with("").begin(|begun| assert!(needs_view(begun.unwrap()).has_token()));
    for settings in [None, Some("{}"), Some(HANDLER)] {
        assert_eq!(client.refusal(settings), ConnectRefusal::Token(TokenError::Missing), "{settings:?}");
    }
    assert_eq!(client.refusal(Some(ANONYMOUS)), ConnectRefusal::Mode(SimpleModeError::Mode));
    let host = |client: &Client| client.viewed(Some(ANONYMOUS), |viewed| viewed.unwrap().0.request.origin);
    assert_eq!([host(&Client::default()), host(&Client::with(""))], ["svc.example", "svc.example"]);
}

#[test]
fn a_token_in_the_url_goes_before_one_in_a_header() {
    let client = Client { query: "access_token=x".to_owned(), ..Client::with("") };
    assert_eq!(client.refusal(None), ConnectRefusal::Token(TokenError::Malformed));
    let other = sign(
        &config().keys.get().access,
        r#"{"aud":"https://other.example/client/hubs/chat","exp":1700000060}"#,
    );
    let client = Client { authorization: format!("Bearer {other}"), ..Client::default() };
    assert_eq!(client.refusal(None), ConnectRefusal::Token(TokenError::Audience(AudienceError::Host)));
}

#[test]
fn refusals_have_their_status_and_words() {
    let (status, body, log) = answer(ConnectRefusal::NoUpgrade);
    let words = "This is a WebSocket endpoint: connect to it with a WebSocket client.";
    assert_eq!((status, &*body, log), (400, words, None));
    let (status, body, log) = answer(ConnectRefusal::Mode(SimpleModeError::NoEcho));
    let words = "Invalid request: query parameter `noEcho` is `true` or `false`.";
    assert_eq!((status, &*body, log), (400, words, None));
    let (status, body, log) = answer(ConnectRefusal::TooManyGroups);
    let words = "Invalid request: the token has more groups than a client may be in.";
    assert_eq!((status, &*body, log), (400, words, None));

    let refusal = ConnectRefusal::Token(TokenError::Expired);
    let response = refusal.clone().response();
    assert_eq!(header(&response, "www-authenticate"), Some("Bearer"));
    let (status, body, log) = answer(refusal);
    assert_eq!((status, body.contains("The access token has expired (`exp`).")), (401, true));
    assert_eq!(log.unwrap(), format!("authorising a client of hub chat: {}", TokenError::Expired));
    let (status, body, log) = answer(ConnectRefusal::Token(TokenError::User));
    assert_eq!((status, &*body), (400, TokenError::User.answer().1));
    assert!(log.is_some());
}

#[test]
fn a_full_hub_lets_clients_try_again() {
    let full = [
        (Full::Shard, 503, "The hub's shards are full. Try again when a connection has left."),
        (
            Full::Quota,
            429,
            "The hub has as many connections as its CONNECTION_QUOTA. Try again when one has left.",
        ),
    ];
    for (full, status, words) in full {
        let response = ConnectRefusal::Full(full).response();
        assert_eq!(header(&response, "retry-after"), Some("1"));
        assert_eq!(header(&response, "content-type"), Some("text/plain; charset=utf-8"));
        let log = "taking a client into hub chat: connection count reaches limit".to_owned();
        assert_eq!(answer(ConnectRefusal::Full(full)), (status, words.to_owned(), Some(log)));
    }
    let response = ConnectRefusal::Unavailable.response();
    assert_eq!((response.status, &*response.body), (503, ""));
    assert_eq!(response.headers, [("retry-after", "1".into())]);
}

#[test]
fn a_handler_refuses_in_its_own_words() {
    let refused = |status, words: &str| {
        let refusal =
            Client::with("").judged(HandlerAnswer { status, body: words.into(), ..HandlerAnswer::default() });
        let refusal = refusal.unwrap_err();
        assert_eq!(refusal.logged(), None, "the client alone has to know");
        refusal.response()
    };
    for status in [401, 403] {
        let response = refused(status, "go");
        assert_eq!((response.status, &*response.body), (status, "go"));
        assert_eq!(header(&response, "www-authenticate"), Some("Bearer"));
        let response = refused(status, "");
        assert_eq!((response.status, header(&response, "www-authenticate")), (status, Some("Bearer")));
        assert!(response.body.contains("The event handler refused the connection."));
    }
    for (status, words) in [(400, "no"), (404, ""), (499, "x")] {
        let response = refused(status, words);
        assert_eq!((response.status, &*response.body), (status, words));
        assert_eq!(header(&response, "www-authenticate"), None);
    }
}

#[test]
fn a_handler_that_fails_is_answered_500_without_words() {
    let failures = [
        (CallFailure::Status(503), 503),
        (CallFailure::Status(600), 500),
        (CallFailure::Redirect, 500),
        (CallFailure::TimedOut, 500),
        (CallFailure::SubprotocolNotOffered, 500),
    ];
    for (failure, status) in failures {
        let log = format!("asking an event handler of hub chat: {}", failure.name());
        let refusal = ConnectRefusal::Handler(failure, "secret".to_owned());
        assert_eq!(answer(refusal), (status, String::new(), Some(log)));
    }
}

#[test]
fn a_handler_decides_what_a_client_is() {
    let said = |client: &Client, body: &str| {
        let content_type = Some("application/json".to_owned());
        client.judged(HandlerAnswer {
            status: 200,
            content_type,
            body: body.into(),
            ..HandlerAnswer::default()
        })
    };
    let client = Client {
        query: "webpubsub_mode=x".to_owned(),
        offer: Some("custom, json.reliable.webpubsub.azure.v1"),
        ..Client::with("")
    };
    assert_eq!(said(&client, "{}"), Ok((SimpleMode::SendEvent, Some(NAME.to_owned()))));
    let simple = said(&client, r#"{"subprotocol":"custom"}"#);
    assert_eq!(simple, Err(ConnectRefusal::Mode(SimpleModeError::Mode)), "it is a simple client then");
    let client = Client { query: String::new(), ..client };
    let simple = said(&client, r#"{"subprotocol":"custom"}"#);
    assert_eq!(simple, Ok((SimpleMode::SendEvent, Some("custom".to_owned()))));
    for (body, failure) in [
        (r#"{"subprotocol":"other"}"#, CallFailure::SubprotocolNotOffered),
        (r#"{"groups":["a","b","c"]}"#, CallFailure::InvalidGroup),
    ] {
        assert_eq!(said(&client, body), Err(ConnectRefusal::Handler(failure, String::new())));
    }
}

#[test]
fn only_a_reliable_client_gets_a_reconnection_token() {
    let id = ShardId(0).connection_id([7; 16]);
    let token = |offer| {
        Client { offer, ..Client::with("") }.viewed(Some("{}"), |viewed| {
            let (admission, _) = viewed.unwrap();
            assert_eq!(admission.request.subprotocol, Subprotocol::negotiate(offer).subprotocol);
            admission.reconnection_token(NOW, &config(), &id)
        })
    };
    assert_eq!([token(None), token(Some("json.webpubsub.azure.v1"))], [None, None]);
    assert!(token(Some(NAME)).is_some());
}

/// Shards whose quota is used up, and which of them were asked for what.
#[derive(Default)]
struct FullShards(Vec<String>);

impl PlacementHost for FullShards {
    type Placed = ();
    type Stopped = Full;

    fn now(&self) -> Timestamp {
        NOW
    }

    async fn ask_for_room(&mut self, shard: ShardId) -> Result<Option<Full>, Full> {
        self.0.push(format!("room of {shard}"));
        Ok(Some(Full::Quota))
    }

    async fn ask_handler(&mut self, connection: ConnectionId) -> Result<(), Full> {
        panic!("no shard has room for {connection}")
    }

    async fn offer(&mut self, shard: ShardId, _: ConnectionId, _: bool) -> Result<ShardOffer<()>, Full> {
        self.0.push(format!("offer to {shard}"));
        Ok((Err(Full::Quota), None))
    }
}

/// Places a client where no shard has room. Returns why it is refused, and what was asked.
fn place(placing: Placing) -> (Full, Vec<String>) {
    let mut shards = FullShards::default();
    let placed = pin!(placing.place(&mut shards)).poll(&mut Context::from_waker(Waker::noop()));
    match placed {
        Poll::Ready(placed) => (placed.unwrap_err(), shards.0),
        Poll::Pending => panic!("nothing waits"),
    }
}

#[test]
fn a_client_is_placed_on_the_shards_of_the_view() {
    let offered = |settings, has_handler| {
        Client::with("").viewed(Some(settings), |viewed| {
            let (admission, policy) = viewed.unwrap();
            assert_eq!(connect_handler(&policy).is_some(), has_handler);
            let loads = SharedLoads::default();
            place(admission.placing(NOW, &config(), loads, [0; 20], has_handler))
        })
    };
    let asked = |what: &str| (Full::Quota, vec![format!("{what} 0"), format!("{what} 1")]);
    assert_eq!(offered("{}", false), asked("offer to"));
    assert_eq!(offered(HANDLER, true), asked("room of"));
}

#[test]
fn a_recovery_needs_the_token_of_its_connection() {
    let id = ShardId(3).connection_id([7; 16]);
    let hub = ClientEndpoint::parse("/client/hubs/chat", None).unwrap().hub;
    let token = |now, id: &ConnectionId| sign_reconnection_token(&config().keys.get().access, now, id, &hub);
    let recover = |id: &str, token: &str| {
        let query = format!("awps_connection_id={id}&awps_reconnection_token={token}&access_token=x");
        let client = Client { query, offer: Some(NAME), ..Client::default() };
        client.begin(|begun| {
            let Ok(Begun::Recover(Recover { connection, reconnection_token, subprotocol })) = begun else {
                panic!("a recovery needs no token of a client")
            };
            assert_eq!((reconnection_token, subprotocol), (token, Some(NAME)));
            connection
        })
    };
    assert_eq!(recover(id.as_str(), &token(NOW, &id)), Some((id.clone(), ShardId(3))));
    let other = ShardId(3).connection_id([8; 16]);
    let long_ago = Timestamp::from_millis(0).after(Duration::from_secs(60));
    for (id, token) in [
        (id.as_str(), token(NOW, &other)),
        (id.as_str(), token(long_ago, &id)),
        (id.as_str(), String::new()),
        ("x", token(NOW, &id)),
    ] {
        assert_eq!(recover(id, &token), None, "{id} {token}");
    }
    let client = Client {
        query: format!("awps_connection_id={}", id.as_str()),
        is_upgrade: false,
        ..Client::default()
    };
    client.begin(|begun| assert_eq!(begun.err(), Some(ConnectRefusal::NoUpgrade)));
}

#[test]
fn a_client_of_mqtt_is_given_its_subprotocol() {
    let claims = r#","sub":"alice","role":"webpubsub.sendToGroup","webpubsub.group":["g"]"#;
    Client::mqtt(claims).viewed(Some("{}"), |viewed| {
        let (admission, _) = viewed.unwrap();
        assert_eq!(admission.subprotocol, Some("mqtt"));
        let request = &admission.request;
        assert_eq!((request.subprotocol, &request.mode), (Subprotocol::Mqtt, &SimpleMode::SendEvent));
        assert_eq!(request.user.as_ref().unwrap().as_str(), "alice");
        assert_eq!(request.groups.iter().map(|group| group.as_str()).collect::<Vec<_>>(), ["g"]);
        assert_eq!(admission.reconnection_token(NOW, &config(), &ShardId(0).connection_id([7; 16])), None);
    });
}

#[test]
fn a_client_of_mqtt_without_its_subprotocol_gets_400() {
    for offer in [None, Some("json.webpubsub.azure.v1"), Some("MQTT"), Some("mqttv3.1")] {
        let refusal = Client { offer, ..Client::mqtt("") }.refusal(Some("{}"));
        assert_eq!(refusal, ConnectRefusal::NoMqtt, "{offer:?}");
        let response = refusal.response();
        assert_eq!(response.status, 400);
        assert_eq!(response.body, "Invalid request: offer the WebSocket subprotocol `mqtt`.");
    }
}

#[test]
fn a_client_of_mqtt_needs_a_token_for_its_path() {
    let missing = ConnectRefusal::Token(TokenError::Missing);
    let anonymous = Client { path: MQTT, offer: Some("mqtt"), ..Client::default() };
    assert_eq!(anonymous.refusal(Some("{}")), missing);
    assert!(anonymous.viewed(Some(ANONYMOUS), |viewed| viewed.is_ok()));
    let other = Client { path: MQTT, ..Client::with("") };
    let refusal = other.refusal(Some(ANONYMOUS));
    assert_eq!(refusal, ConnectRefusal::Token(TokenError::Audience(AudienceError::Path)));
    let other = Client { path: "/client/hubs/chat", ..Client::mqtt("") };
    assert_eq!(other.refusal(Some(ANONYMOUS)), refusal);
}

#[test]
fn a_client_of_mqtt_goes_to_the_first_shard_unasked() {
    let client = Client { query: "x=1".into(), ..Client::mqtt("") };
    client.viewed(Some(HANDLER), |viewed| {
        let (mut admission, policy) = viewed.unwrap();
        assert!(connect_handler(&policy).is_some() && !admission.is_asked_first());
        let mut random = [9; 20];
        random[..2].copy_from_slice(&[0, 1]);
        let loads = SharedLoads::default();
        let placing = admission.placing(NOW, &config(), loads, random, false);
        assert_eq!(place(placing), (Full::Quota, vec!["offer to 0".to_owned()]));

        admission.ask_later(&[("User-Agent".to_owned(), "mqtt".to_owned())]);
        let body = admission.request.connect_body.unwrap();
        assert!(body.starts_with(r#"{"claims":{"aud":["https://svc.example/clients/mqtt/hubs/chat"]"#), "{body}");
        let rest = r#""query":{"x":["1"]},"headers":{"User-Agent":["mqtt"]},"subprotocols":["foo","mqtt"],"clientCertificates":[]}"#;
        assert!(body.ends_with(rest), "{body}");
    });
}
