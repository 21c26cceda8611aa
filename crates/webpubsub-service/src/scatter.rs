//! A request of the REST API at several shards: each does its part, and one answer comes out of all.

use std::future::Future;

use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest::{self, Refusal, Response};
use webpubsub_shard::{Reply, ShardId};

use crate::gateway::{GatewayError, Incoming};
use crate::object_api::object_name;
use crate::part::Part;
use crate::shard_range::ShardRange;
use crate::task::{Task, TaskRequest, Work};

/// A request of the REST API, and the way from here to shards that do parts of it.
pub trait PartsHost {
    /// Why something could not be done.
    type Error: From<GatewayError>;
    /// The answer to the caller.
    type Answer;
    /// The request's body, once it is read.
    type Body;

    /// Returns the request's `Content-Type`.
    fn content_type(&self) -> Option<String>;

    /// Reads the request's body, unless it is too long.
    fn body(&self) -> impl Future<Output = Result<Result<Self::Body, Refusal>, Self::Error>>;

    /// Has shards carry the request out, with this path and query in place of its own, and this body. Returns one part
    /// each, in their order.
    fn ask_for_parts(
        &self,
        names: Vec<String>,
        path: &str,
        body: Option<Self::Body>,
    ) -> impl Future<Output = Result<Vec<Part<Self::Answer>>, Self::Error>>;

    /// Makes the answer to the caller.
    ///
    /// # Errors
    /// The host cannot make it.
    fn respond(&self, response: Response) -> Result<Self::Answer, Self::Error>;
}

impl Task {
    /// Has all these shards do their parts, through each other where they are many. Returns one part out of theirs and
    /// of those that are there already.
    ///
    /// # Errors
    /// The host's, or that no shard has answered.
    pub async fn scatter<H: PartsHost>(
        &self,
        host: &H,
        hub: &HubName,
        shards: ShardRange,
        Incoming { method, url, .. }: Incoming<'_>,
        mut parts: Vec<Part<H::Answer>>,
    ) -> Result<Part<H::Answer>, H::Error> {
        let refused = |refusal| host.respond(rest::refuse(&refusal, method)).map(Part::Refused);
        if matches!(self.work, Work::Deliver { .. })
            && let Err(refusal) = rest::parse_content_type(host.content_type().as_deref())
        {
            return refused(refusal);
        }
        let body = match self.work.needs_body() {
            true => match host.body().await? {
                Ok(body) => Some(body),
                Err(refusal) => return refused(refusal),
            },
            false => None,
        };
        let names = shards.asked().map(|shard| object_name(hub, shard)).collect();
        parts.extend(host.ask_for_parts(names, &shards.address(&url.path_and_query()), body).await?);
        Ok(self.gather(parts).ok_or(GatewayError::NoPart)?)
    }
}

impl TaskRequest<'_> {
    /// The shards that the one which carries it out has to ask for their parts; `None` where there are none.
    #[must_use]
    pub fn behind(&self, shard: ShardId) -> Option<ShardRange> {
        self.among.map(|range| range.behind(shard)).filter(|behind| !behind.is_empty())
    }

    /// Answers the request with what a shard has made of it, joined with what those behind it make of their parts.
    ///
    /// # Errors
    /// The host's.
    pub async fn answer<H: PartsHost>(
        &self,
        host: &H,
        (hub, shard): (&HubName, ShardId),
        method: &str,
        reply: Result<Reply, Refusal>,
    ) -> Result<H::Answer, H::Error> {
        let mut part = match reply {
            Ok(reply) => Part::Replied(reply),
            Err(refusal) => Part::Refused(host.respond(rest::refuse(&refusal, method))?),
        };
        if let Some(range) = self.behind(shard) {
            let asked = Incoming { method, url: self.url, authorization: "" };
            part = self.task.scatter(host, hub, range, asked, vec![part]).await?;
        }
        match part {
            Part::Replied(reply) if self.among.is_some() => host.respond(self.task.respond_in_part(reply)),
            Part::Replied(reply) => host.respond(self.task.respond(reply)),
            Part::Refused(answer) => Ok(answer),
        }
    }
}
