//! What the gateway of a request needs, on this platform.

use std::cell::Cell;
use std::fmt::{self, Display};
use std::rc::Rc;
use std::sync::{Arc, PoisonError};

use futures_util::future::join_all;
use hyper::header::{CONTENT_TYPE, HeaderName};
use tokio::sync::oneshot;
use webpubsub_auth::{PublicOrigin, ServiceAudience, TokenError};
use webpubsub_protocol::limits::MAX_REST_MESSAGE_BYTES;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest::{self, METADATA_PREFIX, Refusal};
use webpubsub_protocol::time::Timestamp;
use webpubsub_service::gateway::{GatewayError, Host};
use webpubsub_service::{
    CommandHead, DirectoryCall, Keys, Part, ShardAnswer, ShardCall, ShardRange, Task, ViewCache, object_name,
};
use webpubsub_shard::Command;

use crate::event_host::{Caller, decode};
use crate::offered_socket::OfferedSocket;
use crate::request::Request;
use crate::shard_message::{ShardMessage, SocketOffer};
use crate::thread::Thread;
use crate::{calls, clock, log};

/// A request, and what can be done about it here.
pub(crate) struct RequestHost<'a> {
    pub(crate) thread: &'a Rc<Thread>,
    pub(crate) request: &'a Request,
    /// What a shard is to do, once the gateway has found out.
    pub(crate) task: Cell<Option<Box<Task>>>,
}

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HostError {
    /// An object did not do what it was asked.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// A shard did not answer.
    #[error("a shard did not answer")]
    NoShard,
    /// There is no randomness.
    #[error("the system has no random bytes")]
    NoRandom,
}

/// What an object answers.
pub(crate) enum ObjectAnswer {
    /// A response.
    Response(rest::Response),
    /// A socket that its shard has accepted.
    Socket(OfferedSocket),
}

impl fmt::Debug for ObjectAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::Response(_)) { "Response" } else { "Socket" })
    }
}

impl RequestHost<'_> {
    /// Has one shard carry out the request's task.
    pub(crate) async fn forward(&self, name: String) -> rest::Response {
        let method = self.request.head.method.as_str();
        let carried_out = async {
            let task = self.task.take().ok_or(Refusal::Internal)?;
            let command = self.command(&task).await?;
            let reply = calls::command(self.thread, name, command).await.ok_or(Refusal::Internal)?;
            Ok(task.respond(reply))
        };
        carried_out.await.unwrap_or_else(|refusal| rest::refuse(&refusal, method))
    }

    /// The command that a task comes to, with what of it is in the request's body.
    async fn command(&self, task: &Task) -> Result<Command, Refusal> {
        let headers = &self.request.head.headers;
        let content_type = headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?"));
        let metadata = headers.keys().filter(|name| name.as_str().starts_with(METADATA_PREFIX));
        let metadata: Vec<_> =
            metadata.filter_map(|name| Some((name, self.header(name.as_str())?))).collect();
        let metadata = metadata.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        match task.work.read_head(content_type, metadata)? {
            CommandHead::Whole(command) => Ok(command),
            CommandHead::NeedsBody(reader) => {
                reader.read(self.request.body(MAX_REST_MESSAGE_BYTES).await?, &decode)
            }
        }
    }
}

impl Host for RequestHost<'_> {
    type Error = HostError;
    type Answer = ObjectAnswer;
    type Objects = Thread;
    type Events<'a>
        = Caller
    where
        Self: 'a;

    fn now(&self) -> Timestamp {
        clock::now()
    }

    fn fill_random(&self, bytes: &mut [u8]) -> Result<(), HostError> {
        getrandom::fill(bytes).map_err(|_| HostError::NoRandom)
    }

    fn verify_service(
        &self,
        keys: &Arc<Keys>,
        token: &str,
        audience: &ServiceAudience<'_>,
    ) -> Result<PublicOrigin, TokenError> {
        self.thread.verified.borrow_mut().of(keys).verify_service(&keys.access, self.now(), token, audience)
    }

    fn forward_task(&self, task: Box<Task>) {
        self.task.set(Some(task));
    }

    fn with_views<T>(&self, use_it: impl FnOnce(&mut ViewCache) -> T) -> T {
        use_it(&mut self.thread.views.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn header(&self, name: &str) -> Option<String> {
        let mut values = self.request.head.headers.get_all(HeaderName::try_from(name).ok()?).iter();
        let first = String::from_utf8_lossy(values.next()?.as_bytes()).into_owned();
        Some(values.fold(first, |joined, value| joined + ", " + &String::from_utf8_lossy(value.as_bytes())))
    }

    fn headers(&self) -> Vec<(String, String)> {
        let mut headers: Vec<(String, String)> = Vec::new();
        for name in self.request.head.headers.keys() {
            headers.extend(self.header(name.as_str()).map(|value| (name.as_str().to_owned(), value)));
        }
        headers
    }

    fn address(&self) -> String {
        self.request.address.clone()
    }

    async fn body(&self, most: usize) -> Result<Result<Vec<u8>, Refusal>, HostError> {
        Ok(self.request.body(most).await)
    }

    fn objects(&self) -> &Thread {
        self.thread
    }

    fn events<'a>(&'a self, hub: &'a HubName) -> Caller {
        Caller { thread: Rc::clone(self.thread), hub: hub.to_string(), given_up: Rc::default() }
    }

    fn keep_delivery(&self, hub: &HubName, record: &str) {
        let (thread, hub, call) =
            (Rc::clone(self.thread), hub.to_string(), DirectoryCall::KeepDelivery(record.to_owned()));
        tokio::task::spawn_local(async move { thread.ask_directory(hub, call).await });
    }

    async fn offer(
        &self,
        name: &str,
        call: ShardCall,
    ) -> Result<(ObjectAnswer, u16, Option<u32>), HostError> {
        let plain = |answer: ShardAnswer| {
            let answer = answer.encode();
            let response = rest::Response { status: answer.status, headers: Vec::new(), body: answer.body };
            (ObjectAnswer::Response(response), answer.status)
        };
        if call == ShardCall::Room {
            let (reply, answer) = oneshot::channel();
            self.thread.to_shard(name.to_owned(), ShardMessage::Call(call, reply));
            let (answer, status) = plain(answer.await.map_err(|_| HostError::NoShard)?);
            return Ok((answer, status, None));
        }
        let is_counted = matches!(&call, ShardCall::Connect(client) if client.is_counted);
        let (reply, answer) = oneshot::channel();
        let socket = OfferedSocket::open(self.thread);
        let offer = SocketOffer { call, socket: socket.address(), unread: socket.unread(), reply };
        self.thread.to_shard(name.to_owned(), ShardMessage::Offer(Box::new(offer)));
        let Ok(offered) = answer.await else {
            // It failed, or does not start.
            let answer = rest::refuse(&Refusal::Internal, self.request.head.method.as_str());
            let status = answer.status;
            return Ok((ObjectAnswer::Response(answer), status, None));
        };
        let connections = is_counted.then(|| u32::try_from(offered.connections).unwrap_or(u32::MAX));
        match offered.accepted {
            Ok((link, subprotocol)) => {
                let socket = socket.accepted(link, subprotocol);
                Ok((ObjectAnswer::Socket(socket), 101, connections))
            }
            Err(why) => {
                let (answer, status) = plain(ShardAnswer::Offered(why));
                Ok((answer, status, connections))
            }
        }
    }

    async fn gather(
        &self,
        hub: &HubName,
        range: ShardRange,
        task: &Task,
    ) -> Result<Part<ObjectAnswer>, HostError> {
        let method = self.request.head.method.as_str();
        let refuse = |refusal| Part::Refused(ObjectAnswer::Response(rest::refuse(&refusal, method)));
        let command = match self.command(task).await {
            Ok(command) => command,
            Err(refusal) => return Ok(refuse(refusal)),
        };
        // Shards of one process need no tree: all are asked before the first answer is waited for.
        let asked =
            range.all().map(|shard| calls::command(self.thread, object_name(hub, shard), command.clone()));
        let replies = join_all(asked.collect::<Vec<_>>()).await.into_iter();
        let parts = replies.map(|reply| reply.map_or_else(|| refuse(Refusal::Internal), Part::Replied));
        task.gather(parts).ok_or(HostError::NoShard)
    }

    fn log_failure(&self, what: &str, error: &HostError) {
        log::failure(what, error);
    }

    fn log_refusal(&self, what: &str, why: &dyn Display) {
        log::refusal(what, why);
    }
}
