//! What a request from outside comes to on its way through the gateway, with a scripted host.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a broken expectation is a failed test")]

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Display;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use webpubsub_auth::{sign, sign_reconnection_token};
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::name::{ConnectionId, HubName};
use webpubsub_protocol::rest::{Member, MemberPage, Refusal};
use webpubsub_protocol::time::Timestamp;
use webpubsub_protocol::url::RequestUrl;
use webpubsub_service::gateway::{Answer, Gateway, GatewayError, Host, Incoming};
use webpubsub_service::{
    AnswerBody, Config, DirectoryCall, EventHost, HubView, Keys, KnownHandlers, Objects, Part, Request,
    ShardCall, ShardRange, StoredKeys, Task, ViewCache, directory,
};
use webpubsub_shard::{HubSettings, Reply, ShardId, ShardMap};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const ANONYMOUS: &str = r#"{"anonymousConnectPolicy":"allow"}"#;
const HANDLER: &str = r#"{"anonymousConnectPolicy":"allow",
    "eventHandlers":[{"urlTemplate":"https://example.com/{event}","systemEvents":["connect"]}]}"#;

/// A host whose objects answer what a test has written down.
struct ScriptedHost {
    now: Cell<Timestamp>,
    config: Config,
    views: RefCell<ViewCache>,
    headers: BTreeMap<&'static str, &'static str>,
    body: Result<&'static str, Refusal>,
    /// The view of every hub; `None` where directories fail.
    view: Option<HubView>,
    /// The names in the register.
    hubs: &'static str,
    /// The keys in the register.
    keys: RefCell<String>,
    /// Whether directories take what they are given.
    takes: bool,
    /// What shards answer to offers: a status, and a count.
    offers: RefCell<VecDeque<(u16, Option<u32>)>>,
    /// What shards answer to calls; without one, values of metrics.
    texts: RefCell<VecDeque<&'static str>>,
    /// What the shards' parts come to.
    part: RefCell<Option<Part<&'static str>>>,
    /// What event handlers answer: a status, and words.
    decision: (u16, &'static str),
    known: RefCell<KnownHandlers>,
    /// What was done, in words.
    done: RefCell<Vec<String>>,
}

impl ScriptedHost {
    /// A hub with so many shards and these settings.
    fn new(shards: u16, settings: Option<&str>) -> Self {
        let key = "0123456789abcdef0123456789abcdef";
        let config = Config::read(&|name| (name == "WEBPUBSUB_ACCESS_KEY").then(|| key.to_owned()));
        let settings = settings.map(|settings| HubSettings::parse(settings).unwrap());
        Self {
            now: Cell::new(NOW),
            config: config.map_err(|error| error.to_string()).unwrap(),
            views: RefCell::default(),
            headers: [("Upgrade", "WebSocket")].into(),
            body: Ok(""),
            view: Some(HubView { map: ShardMap::new(shards), settings, since: 1 }),
            hubs: "chat\nnews",
            keys: RefCell::default(),
            takes: true,
            offers: RefCell::default(),
            texts: RefCell::default(),
            part: RefCell::default(),
            decision: (204, ""),
            known: RefCell::default(),
            done: RefCell::default(),
        }
    }

    /// A hub that lets clients without a token in, and whose shards answer this to them.
    fn open(shards: u16, offers: &[(u16, Option<u32>)]) -> Self {
        let host = Self::new(shards, Some(ANONYMOUS));
        host.offers.borrow_mut().extend(offers);
        host
    }

    fn does(&self, what: String) {
        self.done.borrow_mut().push(what);
    }

    fn answer(&self, method: &str, path: &str) -> Answer<&'static str> {
        let url = format!("https://svc.example{path}");
        let claims = format!(r#"{{"aud":"https://svc.example{path}","exp":1700000060}}"#);
        let claims = claims.replacen(path, path.split('?').next().unwrap(), 1);
        let authorization = format!("Bearer {}", sign(&self.config.keys.get().access, &claims));
        let is_client = path.starts_with("/client/");
        let asked = Incoming {
            method,
            url: RequestUrl::split(&url).unwrap(),
            authorization: if is_client { "" } else { &authorization },
        };
        now_or_never(Gateway::new(self, &self.config).answer(asked))
    }

    /// The status and the body that a request is answered with.
    fn response(&self, method: &str, path: &str) -> (u16, String) {
        let answer = self.answer(method, path);
        let Answer::Respond(response) = answer else { panic!("{answer:?}") };
        (response.status, response.body)
    }
}

fn now_or_never<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a scripted host waits for nothing"),
    }
}

/// What a [`ScriptedHost`] has not done.
#[derive(Debug, PartialEq, Eq)]
struct Failed(String);

impl Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<GatewayError> for Failed {
    fn from(error: GatewayError) -> Self {
        Self(error.to_string())
    }
}

impl Host for ScriptedHost {
    type Error = Failed;
    type Answer = &'static str;
    type Objects = Self;
    type Events<'a> = Handler<'a>;

    fn now(&self) -> Timestamp {
        self.now.get()
    }

    fn address(&self) -> String {
        String::new()
    }

    fn fill_random(&self, bytes: &mut [u8]) -> Result<(), Failed> {
        bytes.fill(0);
        Ok(())
    }

    fn with_views<T>(&self, use_it: impl FnOnce(&mut ViewCache) -> T) -> T {
        use_it(&mut self.views.borrow_mut())
    }

    fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).map(|value| (*value).to_owned())
    }

    fn headers(&self) -> Vec<(String, String)> {
        self.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    async fn body(&self) -> Result<Result<Vec<u8>, Refusal>, Failed> {
        Ok(self.body.clone().map(|body| body.as_bytes().to_vec()))
    }

    fn objects(&self) -> &Self {
        self
    }

    fn events<'a>(&'a self, _: &'a HubName) -> Handler<'a> {
        Handler(self)
    }

    fn keep_delivery(&self, hub: &HubName, _: &str) {
        self.does(format!("keep a delivery of {hub}"));
    }

    async fn offer(&self, name: &str, call: ShardCall) -> Result<(&'static str, u16, Option<u32>), Failed> {
        self.does(format!("{} of {name}", call.encode().path));
        let offer = self.offers.borrow_mut().pop_front();
        let (status, count) = offer.ok_or(Failed("no shard".to_owned()))?;
        Ok(("a shard's answer", status, count))
    }

    fn can_forward(&self) -> bool {
        self.header("Expect").is_none()
    }

    async fn gather(
        &self,
        hub: &HubName,
        shards: ShardRange,
        _: &Task,
    ) -> Result<Part<&'static str>, Failed> {
        let asked: Vec<_> = shards.asked().collect();
        self.does(match asked[..] {
            [shard] if shard.0 > 0 => format!("a part of {hub}/{shard}"),
            _ => format!("parts of {hub}"),
        });
        self.part.take().ok_or(Failed("no shard".to_owned()))
    }

    fn log_failure(&self, what: &str, error: &Failed) {
        self.does(format!("error: {what}: {error}"));
    }

    fn log_refusal(&self, what: &str, why: &dyn Display) {
        self.does(format!("warning: {what}: {why}"));
    }
}

impl Objects for ScriptedHost {
    async fn ask_shards(&self, names: Vec<String>, call: ShardCall) -> Vec<Option<String>> {
        self.does(format!("{} of {}", call.encode().path, names.join(" ")));
        let text = self.texts.borrow_mut().pop_front();
        let answer =
            |name: &String| text.or_else(|| (!name.ends_with("/1")).then_some("7,8")).map(str::to_owned);
        names.iter().map(answer).collect()
    }

    async fn ask_directories(&self, names: Vec<String>, call: DirectoryCall) -> Vec<Option<String>> {
        // It is asked before most tokens are checked.
        if call != DirectoryCall::Keys {
            self.does(format!("{} of {}", call.encode().path, names.join(" ")));
        }
        let answer = match call {
            DirectoryCall::View => self.view.as_ref().map(HubView::encode),
            DirectoryCall::Hubs => Some(self.hubs.to_owned()),
            DirectoryCall::ChangeSettings(_) | DirectoryCall::GoAway => self.takes.then(String::new),
            DirectoryCall::Deliveries => self.takes.then(|| r#"{"deliveries":[]}"#.to_owned()),
            DirectoryCall::Validate(_) | DirectoryCall::KeepDelivery(_) | DirectoryCall::AddHub(_) => None,
            DirectoryCall::Keys => return vec![Some(self.keys.borrow().clone())],
            DirectoryCall::ChangeKeys(change) => {
                let before = StoredKeys::decode(&self.keys.borrow()).unwrap();
                self.keys.replace(before.change(&self.config.keys, change).encode());
                return vec![Some(self.keys.borrow().clone())];
            }
            DirectoryCall::SignIn(_) => self.takes.then(String::new),
        };
        names.iter().map(|_| answer.clone()).collect()
    }
}

/// The event handler of a hub, which agrees to every handshake.
struct Handler<'a>(&'a ScriptedHost);

impl EventHost for Handler<'_> {
    fn now(&self) -> Timestamp {
        NOW
    }

    fn with_known<T>(&self, use_it: impl FnOnce(&mut KnownHandlers) -> T) -> T {
        use_it(&mut self.0.known.borrow_mut())
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn decode(&self, _: &str, _: &[u8]) -> Option<String> {
        None
    }

    async fn validate(&self, _: directory::Handler, _: Duration) -> String {
        "204".to_owned()
    }

    async fn post(&self, request: &Request, _: Duration, body: &Rc<RefCell<AnswerBody>>) -> String {
        self.0.does(format!("{} {}", request.method, request.url));
        let (status, words) = self.0.decision;
        let mut body = body.borrow_mut();
        if let Some(room) = body.room_for(&mut self.0.known.borrow_mut(), words.len(), 0, status) {
            room.copy_from_slice(words.as_bytes());
        }
        format!("{status}\nwebhook-allowed-origin\n*")
    }

    fn sleep(&self, _: Duration) -> impl Future {
        std::future::ready(())
    }
}

const CLIENT: &str = "/client/hubs/chat";

#[test]
fn a_client_of_mqtt_goes_to_the_first_shard_unasked() {
    let mut host = ScriptedHost::new(4, Some(HANDLER));
    host.offers.borrow_mut().extend([(101, None), (503, None)]);
    assert_eq!(host.response("GET", "/clients/mqtt/hubs/chat").0, 400);
    host.headers.insert("Sec-WebSocket-Protocol", "mqtt");
    assert_eq!(host.answer("GET", "/clients/mqtt/hubs/chat"), Answer::Pass("a shard's answer"));
    assert_eq!(host.response("GET", "/clients/mqtt/hubs/chat").0, 503);
    let done = host.done.borrow();
    assert_eq!(done.iter().filter(|what| *what == "/connect of chat/0").count(), 2);
    assert!(done.iter().all(|what| !what.contains("example.com")), "no handler is called: {done:?}");
}

#[test]
fn a_client_is_offered_to_a_shard_of_its_hub() {
    let host = ScriptedHost::open(1, &[(101, None), (101, None)]);
    for _ in 0..2 {
        assert_eq!(host.answer("GET", CLIENT), Answer::Pass("a shard's answer"));
    }
    // The register and the view are cached.
    let once = ["/hubs of *", "/view of chat"];
    assert_eq!(*host.done.borrow(), [&once[..], &["/connect of chat/0"; 2]].concat());
}

#[test]
fn a_full_shard_is_followed_by_another() {
    let host = ScriptedHost::open(2, &[(503, Some(9)), (101, Some(1))]);
    // The count is left out.
    assert_eq!(host.answer("GET", CLIENT), Answer::Accept("a shard's answer", None));
    assert_eq!(host.done.borrow()[2..], ["/connectCounted of chat/0", "/connectCounted of chat/1"]);
}

#[test]
fn a_hub_without_room_is_one_refusal() {
    let host = ScriptedHost::open(1, &[(429, None)]);
    assert_eq!(host.response("GET", CLIENT).0, 429);
    let warning = "warning: taking a client into hub chat: connection count reaches limit";
    assert_eq!(host.done.borrow().last().unwrap(), warning);
}

#[test]
fn a_hub_that_was_never_used_is_not_looked_at() {
    let host = ScriptedHost { hubs: "news", ..ScriptedHost::open(1, &[]) };
    assert_eq!(host.response("GET", CLIENT).0, 401);
    assert_eq!(host.done.borrow()[0], "/hubs of *");
    assert!(host.done.borrow()[1].starts_with("warning: authorising a client of hub chat: "));
}

#[test]
fn what_fails_makes_a_client_try_again_and_is_logged() {
    let host = ScriptedHost { view: None, ..ScriptedHost::open(1, &[]) };
    assert_eq!(host.response("GET", CLIENT).0, 503);
    let error = "error: asking a hub's directory: the directory gave no view";
    assert_eq!(host.done.borrow().last().unwrap(), error);
    let host = ScriptedHost::open(1, &[]);
    assert_eq!(host.response("GET", CLIENT).0, 503);
    assert_eq!(host.done.borrow().last().unwrap(), "error: offering a client to its shard: no shard");
}

#[test]
fn a_handler_is_asked_once_there_is_room() {
    let open = |decision| {
        let host = ScriptedHost { decision, ..ScriptedHost::new(1, Some(HANDLER)) };
        host.offers.borrow_mut().extend([(204, None), (101, None)]);
        host
    };
    let host = open((204, ""));
    assert_eq!(host.answer("GET", CLIENT), Answer::Pass("a shard's answer"));
    let called = ["/room of chat/0", "POST https://example.com/connect", "keep a delivery of chat"];
    assert_eq!(host.done.borrow()[2..], [&called[..], &["/connect of chat/0"]].concat());
    let host = open((403, "not you"));
    assert_eq!(host.response("GET", CLIENT), (403, "not you".to_owned()));
    assert_eq!(host.done.borrow()[2..5], called);
    assert!(!host.done.borrow().contains(&"/connect of chat/0".to_owned()));
}

#[test]
fn a_recovery_goes_to_the_shard_that_made_the_connection() {
    let path = |host: &ScriptedHost, shard| {
        let (connection, hub) = (ShardId(shard).connection_id([7; 16]), HubName::parse("chat").unwrap());
        let token = sign_reconnection_token(&host.config.keys.get().access, NOW, &connection, &hub);
        format!("{CLIENT}?awps_connection_id={connection}&awps_reconnection_token={token}")
    };
    let refused = Answer::AcceptAndClose(CloseCause::NotRecoverable, None);
    for (status, answer) in [(101, Answer::Pass("a shard's answer")), (404, refused)] {
        let host = ScriptedHost::open(3, &[(status, None)]);
        assert_eq!(host.answer("GET", &path(&host, 2)), answer);
        assert_eq!(*host.done.borrow(), ["/recover of chat/2"]);
    }
    let host = ScriptedHost::open(3, &[(500, None)]);
    assert_eq!(host.response("GET", &path(&host, 2)).0, 503);
    assert_eq!(host.done.borrow()[1], "error: having a connection recovered: the shard failed");
}

#[test]
fn what_cannot_be_forwarded_is_the_part_of_one_shard() {
    let headers = [("Expect", "100-continue")].into();
    let host = ScriptedHost { headers, ..ScriptedHost::new(3, None) };
    host.part.replace(Some(Part::Replied(Reply::Done)));
    let path = format!("/api/hubs/chat/connections/{}", ShardId(2).connection_id([7; 16]));
    assert_eq!(host.response("DELETE", &path).0, 204);
    assert_eq!(*host.done.borrow(), ["/view of chat", "a part of chat/2"]);
}

#[test]
fn what_one_shard_does_is_forwarded_to_it() {
    let host = ScriptedHost::new(1, None);
    assert_eq!(host.answer("POST", "/api/hubs/chat/:send"), Answer::Forward("chat/0".to_owned()));
    let host = ScriptedHost::new(3, None);
    let path = format!("/api/hubs/chat/connections/{}", ShardId(2).connection_id([7; 16]));
    assert_eq!(host.answer("DELETE", &path), Answer::Forward("chat/2".to_owned()));
    assert_eq!(*host.done.borrow(), ["/view of chat"]);
}

#[test]
fn what_several_shards_do_is_answered_once() {
    let host = ScriptedHost::new(3, None);
    host.part.replace(Some(Part::Replied(Reply::Done)));
    assert_eq!(host.response("POST", "/api/hubs/chat/:send"), (202, String::new()));
    host.part.replace(Some(Part::Refused("a shard's refusal")));
    assert_eq!(host.answer("POST", "/api/hubs/chat/:send"), Answer::Pass("a shard's refusal"));
    assert_eq!(host.response("POST", "/api/hubs/chat/:send").0, 500);
    assert_eq!(host.done.borrow().last().unwrap(), "error: asking a shard: no shard");
}

#[test]
fn a_list_is_cut_into_pages_with_links() {
    for shards in [1, 3] {
        let host = ScriptedHost::new(shards, None);
        let member = |id| Member { connection: ConnectionId::parse(id).unwrap(), user: None };
        host.part.replace(Some(Part::Replied(Reply::Members(vec![member("a"), member("b")]))));
        let (status, body) = host.response("GET", "/api/hubs/chat/groups/g/connections?maxpagesize=1");
        assert_eq!((status, MemberPage::members_of(&body)), (200, Some(vec![member("a")])));
        assert!(body.contains(r#""nextLink":"https://svc.example/api/hubs/chat/groups/g/"#), "{body}");
    }
}

#[test]
fn without_a_token_no_object_is_asked() {
    let host = ScriptedHost::new(1, None);
    for path in ["/api/hubs/chat/:send", "/management/hubs", "/API/hubs/chat/:send"] {
        let url = format!("https://svc.example{path}");
        let asked = Incoming { method: "POST", url: RequestUrl::split(&url).unwrap(), authorization: "" };
        let answer = now_or_never(Gateway::new(&host, &host.config).answer(asked));
        assert!(matches!(answer, Answer::Respond(response) if response.status == 401), "{path}");
    }
    assert!(host.done.borrow().iter().all(|line| line.starts_with("warning: authorising ")));
}

#[test]
fn other_paths_are_files_for_those_who_read() {
    let host = ScriptedHost { headers: BTreeMap::new(), ..ScriptedHost::new(1, None) };
    assert_eq!(host.answer("GET", "/"), Answer::File);
    assert_eq!(host.answer("HEAD", "/page.js"), Answer::File);
    assert_eq!(host.response("POST", "/"), (404, "Not Found".to_owned()));
    let host = ScriptedHost::new(1, None);
    assert_eq!(host.response("GET", "/").0, 404, "a socket");
    let (status, words) = host.response("GET", "/client/hubs/1");
    assert!(status == 400 && words.starts_with("Invalid request: "), "{words}");
}

#[test]
fn what_no_shard_carries_out_asks_none() {
    let host = ScriptedHost::new(2, None);
    assert_eq!(host.response("HEAD", "/api/health").0, 200);
    assert_eq!(host.answer("GET", "/api/openapi.json"), Answer::File);
    let (status, body) = host.response("POST", "/api/hubs/chat/:generateToken");
    assert!(status == 200 && body.starts_with(r#"{"token":""#), "{status} {body}");
    assert_eq!(host.done.take(), [""; 0]);
}

#[test]
fn an_operator_reads_and_changes_settings() {
    let host = ScriptedHost { body: Ok(ANONYMOUS), ..ScriptedHost::new(2, None) };
    assert_eq!(host.response("GET", "/management/hubs").1, r#"{"hubs":["chat","news"]}"#);
    assert_eq!(host.response("PUT", "/management/hubs/chat").0, 200);
    // The view is asked for each time, and not as it is cached.
    assert_eq!(host.done.take(), ["/hubs of *", "/view of chat", "/settings of chat"]);
    assert_eq!(host.response("DELETE", "/management/hubs/chat").0, 204);
    assert_eq!(host.done.take(), ["/view of chat", "/settings of chat"]);
    assert_eq!(host.response("GET", "/management/nothing").0, 404);
    let host = ScriptedHost { body: Ok("[]"), ..ScriptedHost::new(2, None) };
    assert_eq!(host.response("PUT", "/management/hubs/chat").0, 400);
    let host = ScriptedHost { body: Err(Refusal::TooLong), ..ScriptedHost::new(2, None) };
    assert_eq!(host.response("PUT", "/management/hubs/chat").0, 413);
}

#[test]
fn a_directory_says_what_became_of_events() {
    let path = "/management/hubs/chat/deliveries";
    let host = ScriptedHost::new(2, None);
    assert_eq!(host.response("GET", path), (200, r#"{"deliveries":[]}"#.to_owned()));
    assert_eq!(host.done.take(), ["/view of chat", "/deliveries of chat"]);
    let host = ScriptedHost { takes: false, ..host };
    assert_eq!(host.response("GET", path).0, 500);
}

#[test]
fn settings_that_a_shard_did_not_take_are_a_failure() {
    let host = ScriptedHost { body: Ok(ANONYMOUS), takes: false, ..ScriptedHost::new(2, None) };
    assert_eq!(host.response("PUT", "/management/hubs/chat").0, 500);
    let error = "error: an operator's request: not every shard took the settings yet";
    assert_eq!(host.done.borrow().last().unwrap(), error);
    assert_eq!(host.response("POST", "/management/sockets/:close").0, 500);
}

#[test]
fn sockets_of_all_hubs_are_closed_and_metrics_joined() {
    let host = ScriptedHost::new(2, None);
    assert_eq!(host.response("POST", "/management/sockets/:close").0, 204);
    assert_eq!(host.done.take(), ["/hubs of *", "/goAway of chat news"]);
    let (status, metrics) = host.response("GET", "/management/metrics");
    assert_eq!(status, 200);
    assert!(metrics.contains(r#"{hub="news",shard="0"} 8"#), "{metrics}");
    assert!(!metrics.contains(r#"shard="1""#), "a shard that failed: {metrics}");
}

#[test]
fn a_handler_is_tested_by_its_number() {
    let host = ScriptedHost::new(1, Some(HANDLER));
    let (status, report) = host.response("POST", "/management/hubs/chat/eventHandlers/0/:test");
    assert_eq!(status, 200);
    assert!(report.contains(r#""step":"validation","ok":true"#), "{report}");
    let posted = |what: &String| what.starts_with("POST https://example.com/");
    assert!(host.done.borrow().iter().any(posted), "{:?}", host.done);
    for other in ["1", "x"] {
        let path = format!("/management/hubs/chat/eventHandlers/{other}/:test");
        assert_eq!(host.response("POST", &path).0, 404);
    }
}

#[test]
fn connections_are_listed_shard_after_shard() {
    let host = ScriptedHost::new(3, None);
    host.texts.borrow_mut().extend(["- 1\n1", "9 0\n", "- 1\n2", "40 2\n3,4"]);
    let (status, body) = host.response("GET", "/management/hubs/chat/connections?top=4&userId=u");
    assert_eq!((status, body.as_str()), (200, r#"{"connections":[1,2,3,4],"continuationToken":"2.40"}"#));
    let calls = ["/list of chat/0", "/list of chat/1", "/list of chat/1", "/list of chat/2"];
    assert_eq!(host.done.borrow()[1..], calls);
    host.texts.borrow_mut().extend(["- 1\n5"]);
    let (_, body) = host.response("GET", "/management/hubs/chat/connections?continuationToken=2.40");
    assert_eq!(body, r#"{"connections":[5],"continuationToken":null}"#);
}

#[test]
fn a_request_for_a_page_asks_shards_eight_times_at_most() {
    let host = ScriptedHost::new(1, None);
    host.texts.borrow_mut().extend(["4000 0\n"; 9]);
    let (_, body) = host.response("GET", "/management/hubs/chat/connections");
    assert_eq!(body, r#"{"connections":[],"continuationToken":"0.4000"}"#);
    assert_eq!(host.texts.borrow().len(), 1);
}

#[test]
fn one_connection_is_shown_by_its_shard() {
    let host = ScriptedHost::new(3, None);
    let path = |shard| {
        let connection = ShardId(shard).connection_id([7; 16]);
        format!("/management/hubs/chat/connections/{connection}")
    };
    host.texts.borrow_mut().extend(["{}", "", ""]);
    assert_eq!(host.response("GET", &path(2)), (200, "{}".to_owned()));
    assert_eq!(host.done.borrow()[1..], ["/list of chat/2"]);
    assert_eq!(host.response("GET", &path(2)).0, 404, "it is not there");
    assert_eq!(host.response("GET", &path(3)).0, 404, "there is no such shard");
}

/// Source: docs/spec/mqtt.md#over-rest
#[test]
fn a_client_id_of_mqtt_is_the_first_shards() {
    let host = ScriptedHost::new(3, None);
    host.texts.borrow_mut().extend(["{}"]);
    let shown = host.response("GET", "/management/hubs/chat/connections/device1");
    assert_eq!(shown, (200, "{}".to_owned()));
    assert_eq!(host.done.borrow()[1..], ["/list of chat/0"]);
    let host = ScriptedHost::new(3, None);
    for (method, path) in [("DELETE", ""), ("HEAD", ""), ("POST", "/:send")] {
        let path = format!("/api/hubs/chat/connections/device1{path}");
        assert_eq!(host.answer(method, &path), Answer::Forward("chat/0".to_owned()), "{method}");
    }
}

#[test]
fn a_trace_is_a_socket_of_a_shard() {
    let host = ScriptedHost::new(2, None);
    host.offers.borrow_mut().extend([(101, None), (429, None), (500, None)]);
    let path = "/management/hubs/chat/trace?shard=1";
    assert_eq!(host.answer("GET", path), Answer::Pass("a shard's answer"));
    assert_eq!(*host.done.borrow(), ["/view of chat", "/watch of chat/1"]);
    assert_eq!(host.response("GET", path).0, 429);
    assert_eq!(host.response("GET", path).0, 500);
    assert_eq!(host.response("GET", "/management/hubs/chat/trace?shard=2").0, 404);
    let host = ScriptedHost { headers: BTreeMap::new(), ..ScriptedHost::new(1, None) };
    assert_eq!(host.response("GET", "/management/hubs/chat/trace").0, 426);
}

#[test]
fn a_trace_takes_a_token_in_its_query() {
    let host = ScriptedHost::new(1, None);
    host.offers.borrow_mut().extend([(101, None)]);
    let claims = r#"{"aud":"https://svc.example/management/hubs/chat/trace","exp":1700000060}"#;
    let token = sign(&host.config.keys.get().access, claims);
    let ask = |path: &str| {
        let url = format!("https://svc.example{path}");
        let asked = Incoming { method: "GET", url: RequestUrl::split(&url).unwrap(), authorization: "" };
        now_or_never(Gateway::new(&host, &host.config).answer(asked))
    };
    let path = "/management/hubs/chat/trace";
    let watching = ask(&format!("{path}?payloads=1&shard=0&access_token={token}"));
    assert_eq!(watching, Answer::Pass("a shard's answer"));
    for wrong in ["", "?access_token=x", "?shard=0"] {
        let Answer::Respond(response) = ask(&format!("{path}{wrong}")) else { panic!("{wrong}") };
        assert_eq!(response.status, 401);
    }
}

#[test]
fn keys_are_rotated_and_regenerated() {
    let host = ScriptedHost::new(1, None);
    let old = host.config.keys.get();
    let is_good = |keys: &Keys| {
        let url = "https://svc.example/management/hubs";
        let claims = format!(r#"{{"aud":"{url}","exp":1700000060}}"#);
        let authorization = format!("Bearer {}", sign(&keys.access, &claims));
        let asked =
            Incoming { method: "GET", url: RequestUrl::split(url).unwrap(), authorization: &authorization };
        let answer = now_or_never(Gateway::new(&host, &host.config).answer(asked));
        matches!(answer, Answer::Respond(response) if response.status == 200)
    };
    let (status, shown) = host.response("POST", "/management/keys/:rotate");
    assert_eq!(status, 200);
    let new = "A".repeat(64);
    assert!(shown.starts_with(&format!(r#"{{"primary":{{"start":"AAAA","key":"{new}"}}"#)), "{shown}");
    assert!(shown.ends_with(r#""secondary":{"start":"0123","key":"0123456789abcdef0123456789abcdef"}}"#));
    assert!(is_good(&old) && is_good(&host.config.keys.get()));
    assert_eq!(host.response("POST", "/management/keys/secondary/:regenerate").0, 200);
    assert!(!is_good(&old) && is_good(&host.config.keys.get()));
}

#[test]
fn a_key_that_is_new_elsewhere_is_accepted() {
    let host = ScriptedHost::new(1, None);
    assert_eq!(host.response("GET", "/management/hubs").0, 200);
    // Another process changes the keys.
    let other = ScriptedHost::new(1, None);
    assert_eq!(other.response("POST", "/management/keys/primary/:regenerate").0, 200);
    host.keys.replace(other.keys.take());
    let ask = |now: u64, path: &str, keys: &Keys| {
        host.now.set(Timestamp::from_millis(NOW.as_millis() + now));
        let url = format!("https://svc.example{path}");
        let authorization =
            format!("Bearer {}", sign(&keys.access, &format!(r#"{{"aud":"{url}","exp":1700000060}}"#)));
        let asked =
            Incoming { method: "GET", url: RequestUrl::split(&url).unwrap(), authorization: &authorization };
        match now_or_never(Gateway::new(&host, &host.config).answer(asked)) {
            Answer::Respond(response) => response.status,
            answer @ (Answer::Pass(_) | Answer::Forward(_) | Answer::File | Answer::Accept(..)) => {
                panic!("{answer:?}")
            }
            Answer::AcceptAndClose(..) => 0,
        }
    };
    let (old, new) = (host.config.keys.get(), other.config.keys.get());
    assert_eq!(ask(999, "/management/hubs", &old), 200, "the register was asked a moment ago");
    assert_eq!(ask(1_000, "/management/hubs", &new), 200, "an unknown key has it asked again");
    assert_eq!(ask(1_000, "/management/hubs", &old), 401);
    let warnings = || host.done.borrow().iter().filter(|done| done.starts_with("warning")).count();
    assert_eq!(warnings(), 1, "what was looked at twice is refused once");
    assert_eq!((ask(9_000, "/management/hubs", &old), warnings()), (401, 2));
    let hub = HubName::parse("chat").unwrap();
    let connection = ShardId(0).connection_id([7; 16]);
    let token = sign_reconnection_token(&new.access, NOW, &connection, &hub);
    let other = ScriptedHost::open(1, &[(101, None)]);
    assert_eq!(other.answer("GET", CLIENT), Answer::Pass("a shard's answer"));
    other.keys.replace(host.keys.take());
    other.now.set(Timestamp::from_millis(NOW.as_millis() + 1_000));
    other.offers.borrow_mut().push_back((101, None));
    let path = format!("{CLIENT}?awps_connection_id={connection}&awps_reconnection_token={token}");
    assert_eq!(other.answer("GET", &path), Answer::Pass("a shard's answer"));
}

/// A host whose operators sign in, and the answer to a request with these headers and without a token.
fn with_session(
    headers: &[(&'static str, String)],
    method: &str,
    path: &str,
    body: &'static str,
) -> (u16, Vec<(&'static str, String)>) {
    let mut host = ScriptedHost::new(1, None);
    let config = Config::read(&|name| match name {
        "WEBPUBSUB_ACCESS_KEY" => Some("0123456789abcdef0123456789abcdef".to_owned()),
        "PORTAL_SECRET" => Some(SECRET.to_owned()),
        _ => None,
    });
    host.config = config.map_err(|error| error.to_string()).unwrap();
    host.body = Ok(body);
    host.headers = headers.iter().map(|(name, value)| (*name, &*value.clone().leak())).collect();
    let url = format!("https://svc.example{path}");
    let asked = Incoming { method, url: RequestUrl::split(&url).unwrap(), authorization: "" };
    match now_or_never(Gateway::new(&host, &host.config).answer(asked)) {
        Answer::Respond(response) => {
            let headers = response.headers.into_iter().map(|(name, value)| (name, value.into_owned()));
            (response.status, headers.collect())
        }
        Answer::Forward(_) => (200, Vec::new()),
        answer @ (Answer::Pass(_) | Answer::File | Answer::Accept(..) | Answer::AcceptAndClose(..)) => {
            panic!("{answer:?}")
        }
    }
}

const SECRET: &str = "a secret of operators";

#[test]
fn a_session_needs_its_header_and_its_own_site() {
    let portal = ("X-Portal", "1".to_owned());
    let body = r#"{"secret":"a secret of operators"}"#;
    let (status, headers) = with_session(std::slice::from_ref(&portal), "POST", "/management/session", body);
    assert_eq!(status, 204);
    let (_, cookie) = headers.iter().find(|(name, _)| *name == "set-cookie").unwrap();
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
    let cookie = ("Cookie", format!("a=b; {}", cookie.split(';').next().unwrap()));
    let origin = |origin: &str| ("Origin", origin.to_owned());
    let upgrade = ("Upgrade", "websocket".to_owned());
    for (headers, expected) in [
        (vec![], 401),
        (vec![portal.clone()], 401),
        (vec![cookie.clone()], 403),
        (vec![cookie.clone(), portal.clone()], 200),
        (vec![cookie.clone(), portal.clone(), origin("https://SVC.example")], 200),
        (vec![cookie.clone(), origin("https://svc.example")], 403),
        (vec![cookie.clone(), portal.clone(), origin("https://other.example")], 403),
        (vec![cookie.clone(), portal.clone(), origin("null")], 403),
        (vec![cookie.clone(), upgrade.clone(), origin("https://other.example")], 403),
        (vec![cookie.clone(), upgrade], 403),
    ] {
        for path in ["/management/hubs", "/api/hubs/chat/:closeConnections"] {
            let method = if path.starts_with("/api") { "POST" } else { "GET" };
            assert_eq!(with_session(&headers, method, path, "").0, expected, "{path} {headers:?}");
        }
    }
}

#[test]
fn a_wrong_secret_signs_no_one_in() {
    let portal = [("X-Portal", "1".to_owned())];
    for body in [r#"{"secret":""}"#, r#"{"secret":"a secret of operator"}"#, "{}", r#"{"secret":1}"#] {
        let (status, headers) = with_session(&portal, "POST", "/management/session", body);
        assert_eq!(status, 401, "{body}");
        assert!(headers.iter().all(|(name, _)| *name != "set-cookie"));
    }
    assert_eq!(with_session(&portal, "POST", "/management/session", "x").0, 400);
    assert_eq!(with_session(&[], "POST", "/management/session", r#"{"secret":"x"}"#).0, 403);
}
