//! What the gateway of a request needs, on this platform.

use std::cell::RefCell;
use std::fmt::Display;

use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest::Refusal;
use webpubsub_protocol::time::Timestamp;
use webpubsub_service::gateway::{Host, Incoming};
use webpubsub_service::{Offered, Part, ShardCall, ShardRange, Task, ViewCache};
use worker::web_sys::{Request, Response};

use crate::event_handler::{Caller, keep_delivery};
use crate::objects::{Objects, can_forward, offer_client};
use crate::platform::{Error, Result, now};
use crate::route::{Body, Parts};
use crate::{http, log};

thread_local! {
    static VIEWS: RefCell<ViewCache> = const { RefCell::new(ViewCache::new()) };
}

/// A request to the Worker.
pub(crate) struct RequestHost<'a> {
    pub(crate) objects: &'a Objects,
    pub(crate) request: &'a Request,
    pub(crate) asked: Incoming<'a>,
}

impl Host for RequestHost<'_> {
    type Error = Error;
    type Answer = Response;
    type Objects = Objects;
    type Events<'a>
        = Caller<'a>
    where
        Self: 'a;

    fn now(&self) -> Timestamp {
        now()
    }

    fn fill_random(&self, bytes: &mut [u8]) -> Result<()> {
        getrandom::fill(bytes).map_err(|_| Error::NoRandom)
    }

    fn with_views<T>(&self, use_it: impl FnOnce(&mut ViewCache) -> T) -> T {
        VIEWS.with_borrow_mut(use_it)
    }

    fn header(&self, name: &str) -> Option<String> {
        self.request.headers().get(name).ok().flatten()
    }

    fn headers(&self) -> Vec<(String, String)> {
        let mut headers = Vec::new();
        let mut all = http::headers_with_prefix(&self.request.headers(), "").into_iter();
        while let (Some(name), Some(value)) = (all.next(), all.next()) {
            headers.push((name, value));
        }
        headers
    }

    fn address(&self) -> String {
        http::address_of(self.request)
    }

    async fn body(&self, most: usize) -> Result<std::result::Result<Vec<u8>, Refusal>> {
        let length = self.header("Content-Length").unwrap_or_default();
        Ok(http::message_body(self.request, &length, most).await?.map(|body| http::take_bytes(&body)))
    }

    fn can_forward(&self) -> bool {
        can_forward(self.request)
    }

    fn can_choose_protocol(&self) -> bool {
        // The platform compares the whole header.
        false
    }

    fn objects(&self) -> &Objects {
        self.objects
    }

    fn events<'a>(&'a self, hub: &'a HubName) -> Caller<'a> {
        Caller::new(&self.objects.0, hub)
    }

    fn keep_delivery(&self, hub: &HubName, record: &str) {
        keep_delivery(&self.objects.0, hub, record);
    }

    async fn offer(&self, name: &str, call: ShardCall) -> Result<(Response, u16, Option<u32>)> {
        let is_counted = matches!(&call, ShardCall::Connect(client) if client.is_counted);
        let answer = offer_client(&self.objects.0, name, &call).await?;
        let count = if is_counted { answer.headers().get(Offered::CONNECTIONS)? } else { None };
        let (status, count) = (answer.status(), count.and_then(|count| count.parse().ok()));
        Ok((answer, status, count))
    }

    async fn gather(&self, hub: &HubName, range: ShardRange, task: &Task) -> Result<Part<Response>> {
        let head = http::head_of_task(self.request);
        let host = Parts { env: &self.objects.0, head: &head, body: Body::Unread(self.request) };
        Ok(match task.scatter(&host, hub, range, self.asked, Vec::new()).await? {
            Part::Replied(reply) => Part::Replied(reply),
            Part::Refused(answer) => Part::Refused(http::answer(&answer)?),
        })
    }

    fn log_failure(&self, what: &str, error: &Error) {
        log::failure(what, error);
    }

    fn log_refusal(&self, what: &str, why: &dyn Display) {
        log::refusal(what, why);
    }
}
