//! A host whose objects and event handlers answer what a test has written down.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Display;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use webpubsub_auth::sign;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest::Refusal;
use webpubsub_protocol::time::Timestamp;
use webpubsub_protocol::url::RequestUrl;
use webpubsub_service::gateway::{Answer, Gateway, GatewayError, Host, Incoming};
use webpubsub_service::{
    AnswerBody, Config, DirectoryCall, EventHost, HubView, KnownHandlers, Objects, Part, Request, ShardCall,
    ShardRange, StoredKeys, Task, ViewCache, directory,
};
use webpubsub_shard::{HubSettings, ShardMap};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
pub(crate) const ANONYMOUS: &str = r#"{"anonymousConnectPolicy":"allow"}"#;
pub(crate) const HANDLER: &str = r#"{"anonymousConnectPolicy":"allow",
    "eventHandlers":[{"urlTemplate":"https://example.com/{event}","systemEvents":["connect"]}]}"#;

/// A client's endpoint.
pub(crate) const CLIENT: &str = "/client/hubs/chat";

/// A host whose objects answer what a test has written down.
pub(crate) struct ScriptedHost {
    pub(crate) now: Cell<Timestamp>,
    pub(crate) config: Config,
    pub(crate) views: RefCell<ViewCache>,
    pub(crate) headers: BTreeMap<&'static str, &'static str>,
    pub(crate) body: Result<&'static str, Refusal>,
    pub(crate) chooses_protocol: bool,
    /// The view of every hub; `None` where directories fail.
    pub(crate) view: Option<HubView>,
    /// The names in the register.
    pub(crate) hubs: &'static str,
    /// The keys in the register.
    pub(crate) keys: RefCell<String>,
    /// Whether directories take what they are given.
    pub(crate) takes: bool,
    /// What shards answer to offers: a status, and a count.
    pub(crate) offers: RefCell<VecDeque<(u16, Option<u32>)>>,
    /// What shards answer to calls; without one, values of metrics.
    pub(crate) texts: RefCell<VecDeque<&'static str>>,
    /// What the shards' parts come to.
    pub(crate) part: RefCell<Option<Part<&'static str>>>,
    /// What event handlers answer: a status, and words.
    pub(crate) decision: (u16, &'static str),
    pub(crate) known: RefCell<KnownHandlers>,
    /// What was done, in words.
    pub(crate) done: RefCell<Vec<String>>,
}

impl ScriptedHost {
    /// A hub with so many shards and these settings.
    pub(crate) fn new(shards: u16, settings: Option<&str>) -> Self {
        let key = "0123456789abcdef0123456789abcdef";
        let config = Config::read(&|name| (name == "WEBPUBSUB_ACCESS_KEY").then(|| key.to_owned()));
        let settings = settings.map(|settings| HubSettings::parse(settings).unwrap());
        Self {
            now: Cell::new(NOW),
            config: config.map_err(|error| error.to_string()).unwrap(),
            views: RefCell::default(),
            headers: [("Upgrade", "WebSocket")].into(),
            body: Ok(""),
            chooses_protocol: true,
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
    pub(crate) fn open(shards: u16, offers: &[(u16, Option<u32>)]) -> Self {
        let host = Self::new(shards, Some(ANONYMOUS));
        host.offers.borrow_mut().extend(offers);
        host
    }

    fn does(&self, what: String) {
        self.done.borrow_mut().push(what);
    }

    pub(crate) fn answer(&self, method: &str, path: &str) -> Answer<&'static str> {
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
    pub(crate) fn response(&self, method: &str, path: &str) -> (u16, String) {
        let answer = self.answer(method, path);
        let Answer::Respond(response) = answer else { panic!("{answer:?}") };
        (response.status, response.body)
    }
}

pub(crate) fn now_or_never<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a scripted host waits for nothing"),
    }
}

/// What a [`ScriptedHost`] has not done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failed(String);

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

    async fn body(&self, most: usize) -> Result<Result<Vec<u8>, Refusal>, Failed> {
        let body = self.body.clone().map(|body| body.as_bytes().to_vec());
        Ok(body.and_then(|body| if body.len() > most { Err(Refusal::TooLong) } else { Ok(body) }))
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

    fn can_choose_protocol(&self) -> bool {
        self.chooses_protocol
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
pub(crate) struct Handler<'a>(&'a ScriptedHost);

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
