//! A request of the REST API at several shards, each of which asks those behind it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a broken expectation is a failed test")]

use std::cell::RefCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest::{Operation, Refusal, Response};
use webpubsub_protocol::url::RequestUrl;
use webpubsub_service::gateway::{GatewayError, Incoming};
use webpubsub_service::{Part, PartsHost, ShardRange, Task, TaskRequest, encode_answer, parse_object_name};
use webpubsub_shard::{Reply, ShardId};

const SEND: &str = "/api/hubs/chat/:send";

/// A hub of many shards, of which each does what this one does.
struct Hub {
    content_type: &'static str,
    /// The body; `None` for one that is too long.
    body: Option<&'static str>,
    /// A shard that fails.
    failing: Option<u16>,
    /// The shards that have done their parts.
    done: RefCell<Vec<u16>>,
}

/// Why nothing was done.
#[derive(Debug, PartialEq, Eq)]
struct Failed(GatewayError);

impl From<GatewayError> for Failed {
    fn from(error: GatewayError) -> Self {
        Self(error)
    }
}

impl Hub {
    fn new() -> Self {
        Self { content_type: "text/plain", body: Some("hello"), failing: None, done: RefCell::default() }
    }

    /// What one shard answers to its part.
    async fn part(&self, name: &str, path: &str) -> Result<Part<Response>, Failed> {
        let (hub, shard) = parse_object_name(name).unwrap();
        let url = format!("https://object{path}");
        let request = TaskRequest::read("POST", RequestUrl::split(&url).unwrap()).unwrap();
        self.done.borrow_mut().push(shard.0);
        let reply = if self.failing == Some(shard.0) { Err(Refusal::Internal) } else { Ok(Reply::Done) };
        let answer: Pin<Box<dyn Future<Output = _>>> =
            Box::pin(request.answer(self, (&hub, shard), "POST", reply));
        let response = answer.await?;
        Ok(match Part::read(encode_answer(response.clone())).unwrap() {
            Part::Replied(reply) => Part::Replied(reply),
            Part::Refused(_) => Part::Refused(response),
        })
    }

    /// What all of so many shards answer.
    fn scatter(&self, shards: u16) -> Result<Part<Response>, Failed> {
        let url = format!("https://svc.example{SEND}");
        let asked = Incoming { method: "POST", url: RequestUrl::split(&url).unwrap(), authorization: "" };
        let hub = HubName::parse("chat").unwrap();
        let (task, shards) = (task(), ShardRange::below(shards));
        now_or_never(task.scatter(self, &hub, shards, asked, Vec::new()))
    }

    fn refused(&self) -> u16 {
        match self.scatter(2) {
            Ok(Part::Refused(response)) => response.status,
            other => panic!("{other:?}"),
        }
    }
}

impl PartsHost for Hub {
    type Error = Failed;
    type Answer = Response;
    type Body = &'static str;

    fn content_type(&self) -> Option<String> {
        Some(self.content_type.to_owned())
    }

    async fn body(&self) -> Result<Result<&'static str, Refusal>, Failed> {
        Ok(self.body.ok_or(Refusal::TooLong))
    }

    async fn ask_for_parts(
        &self,
        names: Vec<String>,
        path: &str,
        body: Option<&'static str>,
    ) -> Result<Vec<Part<Response>>, Failed> {
        assert_eq!(body, Some("hello"));
        let mut parts = Vec::new();
        for name in names {
            parts.push(self.part(&name, path).await?);
        }
        Ok(parts)
    }

    fn respond(&self, response: Response) -> Result<Response, Failed> {
        Ok(response)
    }
}

fn task() -> Box<Task> {
    match Operation::parse("POST", SEND, None) {
        Ok(Operation::OfHub(_, operation)) => Box::new(Task::of(operation)),
        other => panic!("shards do it: {other:?}"),
    }
}

fn now_or_never<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing waits"),
    }
}

#[test]
fn every_shard_of_a_hub_does_its_part_once() {
    for shards in [1, 2, 32, 33, 100, 1024] {
        let hub = Hub::new();
        assert_eq!(hub.scatter(shards), Ok(Part::Replied(Reply::Done)));
        let mut done = hub.done.take();
        done.sort_unstable();
        assert!(done.into_iter().eq(0..shards), "{shards}");
    }
}

#[test]
fn a_shard_that_fails_fails_the_whole_from_any_depth() {
    for failing in [0, 1, 5, 99] {
        let hub = Hub { failing: Some(failing), ..Hub::new() };
        let Ok(Part::Refused(response)) = hub.scatter(100) else { panic!("shard {failing}") };
        assert_eq!(response.status, 500);
    }
}

#[test]
fn what_no_shard_would_take_is_sent_to_none() {
    for (hub, status) in
        [(Hub { content_type: "image/png", ..Hub::new() }, 415), (Hub { body: None, ..Hub::new() }, 400)]
    {
        assert_eq!(hub.refused(), status);
        assert!(hub.done.take().is_empty());
    }
}

#[test]
fn a_shard_answers_alone_what_goes_to_it_only() {
    let (hub, url) = (Hub::new(), format!("https://object{SEND}"));
    let request = TaskRequest::read("POST", RequestUrl::split(&url).unwrap()).unwrap();
    let name = HubName::parse("chat").unwrap();
    let answer = now_or_never(request.answer(&hub, (&name, ShardId(0)), "POST", Ok(Reply::Done))).unwrap();
    assert_eq!(answer.status, 202);
    assert!(answer.headers.iter().all(|(name, _)| *name != "x-reply"), "it is no part");
    let refused = request.answer(&hub, (&name, ShardId(0)), "POST", Err(Refusal::TooLong));
    assert_eq!(now_or_never(refused).unwrap().status, 400);
}

#[test]
fn a_hub_without_shards_answers_nothing() {
    assert_eq!(Hub::new().scatter(0), Err(Failed(GatewayError::NoPart)));
}
