//! Requests of servers on their way: as a Worker takes them, and as shards are asked for their parts.
//!
//! Which shards are asked, who asks them, and what one answer comes of theirs is what [`Task::scatter`] and
//! [`TaskRequest::answer`] of the service say, as on the edge. This is their host.
//!
//! [`Task::scatter`]: webpubsub_service::Task::scatter

use std::cell::RefCell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest::{Operation, Refusal, Response};
use webpubsub_protocol::url::RequestUrl;
use webpubsub_service::gateway::{GatewayError, Incoming};
use webpubsub_service::{
    CommandHead, Part, PartsHost, ShardRange, Task, TaskRequest, encode_answer, parse_object_name,
};
use webpubsub_shard::{Command, Reply, ShardId};

use super::check::{broken, check};
use super::random::Random;
use super::request::{Request, RequestLine};

/// A request of a server, and what shards have made of it so far.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) request: Request,
    line: RequestLine,
    /// What each shard that was asked has to reply; `None` of one that died.
    pub(super) replies: RefCell<Vec<Option<Reply>>>,
}

/// A shard is asked to carry a request out, or its part of one.
#[derive(Debug)]
pub(super) struct ShardRequest {
    pub(super) shard: ShardId,
    pub(super) asked: Rc<Asked>,
    /// The path and query, with the range of shards in front where it is a part.
    path: String,
    answer: Rc<RefCell<Option<Response>>>,
}

/// What came of a request: one shard's answer, or that of all.
#[derive(Debug)]
pub(super) enum Answered {
    ByOne(Response),
    ByAll(Part<Response>),
}

type Running = Pin<Box<dyn Future<Output = ()>>>;
type Outcomes = Vec<(Rc<Asked>, Answered)>;

/// The requests that are on their way.
#[derive(Default)]
pub(super) struct Rest {
    /// What shards are asked and have not taken yet.
    queue: Rc<RefCell<Vec<ShardRequest>>>,
    /// What waits for the answers of shards.
    running: Vec<Running>,
    answered: Rc<RefCell<Outcomes>>,
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rest").field("queue", &self.queue).finish_non_exhaustive()
    }
}

/// The way to shards that do parts of one request.
struct Parts {
    asked: Rc<Asked>,
    queue: Rc<RefCell<Vec<ShardRequest>>>,
}

fn absolute(path: &str) -> String {
    format!("https://example.com{path}")
}

fn split(url: &str) -> RequestUrl<'_> {
    RequestUrl::split(url).unwrap_or_else(|| broken(format!("{url} is no URL")))
}

impl Rest {
    /// How many shards have yet to take what they are asked.
    pub(super) fn waiting(&self) -> usize {
        self.queue.borrow().len()
    }

    /// A Worker that knows the shards below `reached` takes a request.
    pub(super) fn submit(&mut self, hub: &HubName, reached: u16, request: Request, line: RequestLine) {
        let url = absolute(&line.path);
        let RequestUrl { path, query, .. } = split(&url);
        let operation = Operation::parse(line.method, path, query);
        let operation = match operation {
            Ok(Operation::OfHub(_, operation)) => operation,
            other => broken(format!("{line:?} is not carried out by shards: {other:?}")),
        };
        let task = Task::of(operation);
        let asked = Rc::new(Asked { request, line, replies: RefCell::default() });
        let (answered, shards) = (Rc::clone(&self.answered), ShardRange::below(reached));
        let parts = Parts { asked: Rc::clone(&asked), queue: Rc::clone(&self.queue) };
        let hub = hub.clone();
        self.running.push(match shards.only(&task.destination) {
            Some(shard) => Box::pin(async move {
                let response = parts.ask(shard, asked.line.path.clone()).await;
                answered.borrow_mut().push((asked, Answered::ByOne(response)));
            }),
            None => Box::pin(async move {
                let url = absolute(&asked.line.path);
                let incoming = Incoming { method: asked.line.method, url: split(&url), authorization: "" };
                let part = task.scatter(&parts, &hub, shards, incoming, Vec::new()).await;
                let part = part.unwrap_or_else(|error| broken(format!("a request fails: {error:?}")));
                answered.borrow_mut().push((Rc::clone(&asked), Answered::ByAll(part)));
            }),
        });
        self.run();
    }

    /// One of the requests that shards have yet to take.
    pub(super) fn take(&mut self, random: &mut Random) -> Option<ShardRequest> {
        let mut queue = self.queue.borrow_mut();
        let count = queue.len();
        (count > 0).then(|| queue.swap_remove(random.below(count)))
    }

    /// A shard has carried a request out, or has died of it. It answers, once those behind it have.
    pub(super) fn answer(&mut self, hub: &HubName, request: ShardRequest, reply: Option<Reply>) {
        request.asked.replies.borrow_mut().push(reply.clone());
        let parts = Parts { asked: Rc::clone(&request.asked), queue: Rc::clone(&self.queue) };
        let hub = hub.clone();
        self.running.push(Box::pin(async move {
            let ShardRequest { shard, asked, path, answer } = request;
            let url = absolute(&path);
            let received = read(asked.line.method, &url);
            let reply = reply.ok_or(Refusal::Internal);
            let response = received.answer(&parts, (&hub, shard), asked.line.method, reply).await;
            let response = response.unwrap_or_else(|error| broken(format!("a shard fails: {error:?}")));
            *answer.borrow_mut() = Some(response);
        }));
        self.run();
    }

    /// Requests that were answered since this was asked last.
    pub(super) fn take_answered(&mut self) -> Outcomes {
        self.answered.take()
    }

    /// Goes on with everything that can go on.
    fn run(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        loop {
            let before = self.running.len();
            self.running.retain_mut(|running| running.as_mut().poll(&mut context).is_pending());
            if self.running.len() == before {
                return;
            }
        }
    }
}

fn read<'a>(method: &str, url: &'a str) -> TaskRequest<'a> {
    let request = TaskRequest::read(method, split(url));
    request.unwrap_or_else(|why| broken(format!("{method} {url} is refused: {why:?}")))
}

impl ShardRequest {
    /// What the shard is to do.
    pub(super) fn command(&self) -> Command {
        let RequestLine { method, content_type, body, .. } = &self.asked.line;
        let url = absolute(&self.path);
        let head = read(method, &url).task.work.read_head(*content_type, []);
        let command = match head {
            Ok(CommandHead::Whole(command)) => Ok(command),
            Ok(CommandHead::NeedsBody(reader)) => reader.read(body.clone(), &|_, _| None),
            Err(why) => Err(why),
        };
        command.unwrap_or_else(|why| broken(format!("{:?} is refused: {why:?}", self.asked.line)))
    }
}

impl Parts {
    /// Asks a shard, and waits for its answer.
    async fn ask(&self, shard: ShardId, path: String) -> Response {
        let answer = Rc::new(RefCell::new(None));
        let asked = Rc::clone(&self.asked);
        self.queue.borrow_mut().push(ShardRequest { shard, asked, path, answer: Rc::clone(&answer) });
        poll_fn(|_| answer.borrow_mut().take().map_or(Poll::Pending, Poll::Ready)).await
    }
}

impl PartsHost for Parts {
    type Error = GatewayError;
    type Answer = Response;
    type Body = ();

    fn content_type(&self) -> Option<String> {
        self.asked.line.content_type.map(str::to_owned)
    }

    /// It goes with the request.
    async fn body(&self) -> Result<Result<(), Refusal>, GatewayError> {
        Ok(Ok(()))
    }

    async fn ask_for_parts(
        &self,
        names: Vec<String>,
        path: &str,
        body: Option<()>,
    ) -> Result<Vec<Part<Response>>, GatewayError> {
        check!(body.is_some() != self.asked.line.body.is_empty(), "a body is lost on the way");
        let mut asked: Vec<_> = names
            .iter()
            .map(|name| {
                let shard = parse_object_name(name).map(|(_, shard)| shard);
                let shard = shard.unwrap_or_else(|| broken(format!("{name} is no shard")));
                Box::pin(self.ask(shard, path.to_owned()))
            })
            .collect();
        let mut answers = vec![None; asked.len()];
        // All of them at once, in any order.
        poll_fn(|context| {
            for (one, answer) in asked.iter_mut().zip(&mut answers) {
                if answer.is_none()
                    && let Poll::Ready(response) = one.as_mut().poll(context)
                {
                    *answer = Some(response);
                }
            }
            if answers.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        Ok(answers.into_iter().flatten().map(part).collect())
    }

    fn respond(&self, response: Response) -> Result<Response, GatewayError> {
        Ok(response)
    }
}

/// An answer of a shard, after its way to who has asked.
fn part(response: Response) -> Part<Response> {
    match Part::read(encode_answer(response.clone())) {
        Some(Part::Replied(reply)) => Part::Replied(reply),
        Some(Part::Refused(_)) => Part::Refused(response),
        None => broken(format!("{response:?} cannot be read")),
    }
}
