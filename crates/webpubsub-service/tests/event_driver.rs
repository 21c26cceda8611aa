//! What a call of an event handler does on its host, from the first request to the last, with a scripted host.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken expectation is a failed test"
)]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{self, Future};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use webpubsub_auth::AccessKeys;
use webpubsub_protocol::data::{MessageData, Metadata};
use webpubsub_protocol::event_handler::{CallFailure, Event, HandlerAnswer, Taken};
use webpubsub_protocol::name::{ConnectionId, EventName, HubName};
use webpubsub_protocol::time::Timestamp;
use webpubsub_service::directory::Handler;
use webpubsub_service::{
    AnswerBody, Config, DirectoryCall, EventCall, EventHost, KnownHandlers, Newcomer, Objects, Request,
    ShardCall, first_attempt, test_handler,
};
use webpubsub_shard::{Call, EventHandler, EventPolicy, HubSettings, ShardId};

/// An event handler as JSON.
const HANDLER: &str = r#"{"eventHandlers":[{"urlTemplate":"https://example.com/{event}",
    "userEventPattern":"greet,other","systemEvents":["connect"]}]}"#;

/// A host whose network answers what a test has written down, in order, and whose pauses take no time.
struct ScriptedHost {
    now: Cell<Timestamp>,
    known: RefCell<KnownHandlers>,
    /// The directory's and the handler's answers: a head, and a body.
    answers: RefCell<VecDeque<(&'static str, &'static str)>>,
    /// What was done, in words.
    done: RefCell<Vec<String>>,
}

impl ScriptedHost {
    fn new(answers: &[(&'static str, &'static str)]) -> Self {
        let answers = RefCell::new(answers.iter().copied().collect());
        let now = Cell::new(Timestamp::from_millis(1_000_000));
        Self { now, known: RefCell::default(), answers, done: RefCell::default() }
    }

    fn does(&self, what: String) {
        self.done.borrow_mut().push(what);
    }

    fn answer(&self) -> (&'static str, &'static str) {
        self.answers.borrow_mut().pop_front().unwrap()
    }

    fn keep(&self, delivery: &str) {
        let error = delivery.split(r#""error":"#).nth(1).unwrap();
        self.does(format!("keep {}", error.split(',').next().unwrap()));
    }

    /// What was done, once every answer was used.
    fn done(&self) -> Vec<String> {
        assert_eq!(self.answers.borrow().len(), 0, "{:?}", self.done);
        self.done.take()
    }
}

impl EventHost for ScriptedHost {
    fn now(&self) -> Timestamp {
        self.now.get()
    }

    fn with_known<T>(&self, use_it: impl FnOnce(&mut KnownHandlers) -> T) -> T {
        use_it(&mut self.known.borrow_mut())
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn decode(&self, _: &str, _: &[u8]) -> Option<String> {
        None
    }

    async fn validate(&self, _: Handler, _: Duration) -> String {
        self.does("validate".to_owned());
        self.answer().0.to_owned()
    }

    async fn post(&self, request: &Request, within: Duration, body: &Rc<RefCell<AnswerBody>>) -> String {
        self.does(format!("{} {} within {within:?}", request.method, request.url));
        let (head, text) = self.answer();
        let status = head.split('\n').next().unwrap().parse().unwrap_or(0);
        let mut body = body.borrow_mut();
        if let Some(room) = body.room_for(&mut self.known.borrow_mut(), text.len(), 0, status) {
            room.copy_from_slice(text.as_bytes());
        }
        head.to_owned()
    }

    fn sleep(&self, pause: Duration) -> impl Future {
        self.now.set(self.now.get().after(pause));
        self.does(format!("wait {pause:?}"));
        future::ready(())
    }
}

/// A register of hubs that has no keys.
struct Register;

impl Objects for Register {
    async fn ask_shards(&self, _: Vec<String>, call: ShardCall) -> Vec<Option<String>> {
        panic!("no shard is asked: {call:?}")
    }

    async fn ask_directories(&self, names: Vec<String>, call: DirectoryCall) -> Vec<Option<String>> {
        assert_eq!((names, call), (vec!["*".to_owned()], DirectoryCall::Keys));
        vec![Some(String::new())]
    }
}

/// The value of a future that never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a scripted host waits for nothing"),
    }
}

fn policy() -> EventPolicy {
    let settings = HubSettings::parse(HANDLER).unwrap();
    EventPolicy { settings, ..EventPolicy::new(HubName::parse("chat").unwrap()) }
}

fn keys() -> AccessKeys {
    AccessKeys::new("primary", None).unwrap()
}

fn config() -> Config {
    let key = (0..32).map(|_| 'k').collect::<String>();
    let config = Config::read(&|name| (name == "WEBPUBSUB_ACCESS_KEY").then(|| key.clone()));
    config.map_err(|error| error.to_string()).unwrap()
}

fn connection() -> ConnectionId {
    ShardId(0).connection_id([7; 16])
}

fn first(policy: &EventPolicy) -> &EventHandler {
    &policy.settings.event_handlers[0]
}

fn attempt(policy: &EventPolicy, host: &ScriptedHost, event: &Event) -> Call {
    let newcomer = Newcomer { connection: &connection(), user: None, origin: "svc.example" };
    first_attempt(host.now(), policy, first(policy), newcomer, event)
}

/// Makes the one attempt of a shard at a user event.
fn deliver(host: &ScriptedHost) -> Result<Taken, CallFailure> {
    let call = attempt(&policy(), host, &user_event());
    let (hub, keys) = (HubName::parse("chat").unwrap(), config().keys);
    ready(webpubsub_service::deliver(host, &Register, (&hub, &keys), call, &|record| host.keep(record)))
}

/// Makes a handshake.
fn validate(host: &ScriptedHost) -> Result<(), CallFailure> {
    let (policy, url) = (policy(), "https://example.com/validate");
    ready(EventCall::handshake(host.now(), &policy, url, "svc.example").make(
        host,
        &|record| host.keep(record),
        None,
    ))
}

fn user_event() -> Event {
    Event::User {
        name: EventName::parse("greet").unwrap(),
        data: MessageData::Text("hello".to_owned()),
        metadata: Metadata::default(),
    }
}

#[test]
fn an_event_is_validated_posted_and_answered() {
    let host =
        ScriptedHost::new(&[("204", ""), ("200\ncontent-type\ntext/plain\nset-cookie\na=1", "welcome")]);
    let taken = deliver(&host).unwrap();
    assert_eq!(taken.cookies, ["a=1"]);
    assert_eq!(taken.reply.data, Some(MessageData::Text("welcome".to_owned())));
    assert_eq!(host.done(), ["validate", "POST https://example.com/greet within 100s", "keep null"]);
}

#[test]
fn an_attempt_whose_answer_says_nothing_valid_fails_once() {
    for (answer, failure) in [
        (("503", ""), CallFailure::Status(503)),
        (("200\ncontent-type\napplication/json", "no JSON"), CallFailure::NotReadable),
        (("TimedOut", ""), CallFailure::TimedOut),
    ] {
        let host = ScriptedHost::new(&[("204", ""), answer]);
        assert_eq!(deliver(&host), Err(failure));
        let kept = format!("keep \"{}\"", failure.name());
        assert_eq!(host.done(), ["validate", "POST https://example.com/greet within 100s", &kept]);
    }
}

#[test]
fn a_call_by_policy_waits_between_its_attempts() {
    let host = ScriptedHost::new(&[("204", ""), ("503", ""), ("Network", ""), ("200", "")]);
    let policy = policy();
    let call = attempt(&policy, &host, &Event::Connect { body: "{}".to_owned() });
    let mut call = EventCall::of("chat", call, &keys(), &|_| None);
    call.retry(host.now(), &policy, first(&policy));
    let mut judged = Vec::new();
    let mut judge = |answer: HandlerAnswer| {
        judged.push(answer.status);
        CallFailure::of_status(answer.status).map_or(Ok(()), Err)
    };
    let outcome = ready(call.make(&host, &|record| host.keep(record), Some(&mut judge)));
    assert_eq!((outcome, judged), (Ok(()), vec![503, 200]), "what is no answer is not judged");
    let done = host.done();
    let pauses: Vec<_> = done.iter().filter(|done| done.starts_with("wait")).collect();
    assert_eq!(pauses, ["wait 1s", "wait 3s"]);
    assert_eq!(done.iter().filter(|done| *done == "validate").count(), 1, "{done:?}");
}

#[test]
fn a_handshake_is_made_again_by_the_hubs_policy() {
    let host = ScriptedHost::new(&[("503", ""), ("200\nwebhook-allowed-origin\n*", "")]);
    assert_eq!(validate(&host), Ok(()));
    assert_eq!(
        host.done(),
        [
            "OPTIONS https://example.com/validate within 10s",
            "keep \"Status\"",
            "wait 1s",
            "OPTIONS https://example.com/validate within 10s",
            "keep null",
        ]
    );
    let host = ScriptedHost::new(&[("200\nwebhook-allowed-origin\nother", "")]);
    assert_eq!(validate(&host), Err(CallFailure::OtherOrigin));
}

fn test(host: &ScriptedHost) -> String {
    let policy = policy();
    let handler = (&policy, first(&policy));
    let keep = |record: &str| host.keep(record);
    ready(test_handler(host, &keep, handler, &connection(), "svc.example", &keys()))
}

#[test]
fn a_test_is_a_handshake_and_the_first_user_event() {
    let host = ScriptedHost::new(&[("200\nwebhook-allowed-origin\n*", ""), ("204", "")]);
    let report = test(&host);
    assert!(report.contains(r#""step":"validation","ok":true,"status":200"#), "{report}");
    assert!(report.contains(r#""step":"event","ok":true,"status":204"#), "{report}");
    let done = host.done();
    assert!(done[0].starts_with("OPTIONS https://example.com/validate"), "{done:?}");
    assert!(done[2].starts_with("POST https://example.com/greet"), "{done:?}");
}

#[test]
fn a_test_sends_no_event_after_a_failed_handshake() {
    let host = ScriptedHost::new(&[("503", "")]);
    let report = test(&host);
    assert!(report.contains(r#""step":"validation","ok":false,"status":503"#), "{report}");
    assert!(report.contains(r#""step":"event","ok":false,"status":null,"error":"NotValidated""#), "{report}");
    assert_eq!(host.done().len(), 2, "nothing is retried");
}
