//! What the gateway of a request needs, on this platform.

use std::cell::RefCell;
use std::fmt::Display;

use webpubsub_protocol::name::{ConnectionId, HubName};
use webpubsub_protocol::rest::Refusal;
use webpubsub_protocol::time::Timestamp;
use webpubsub_service::connect::{Admission, ConnectRefusal};
use webpubsub_service::gateway::{GatewayError, Host, Incoming};
use webpubsub_service::{
    Config, DirectoryCall, Offered, Part, ShardCall, ShardRange, Task, ViewCache, test_handler,
};
use webpubsub_shard::{EventHandler, EventPolicy};
use worker::Env;
use worker::web_sys::{Request, Response};

use crate::event_handler::{Caller, Calls, keep_delivery};
use crate::objects::{ask_directories, ask_shards, offer_client};
use crate::platform::{Error, Result, now};
use crate::route::Parts;
use crate::{http, log};

thread_local! {
    static VIEWS: RefCell<ViewCache> = const { RefCell::new(ViewCache::new()) };
}

/// A request to the Worker.
pub(crate) struct RequestHost<'a> {
    pub(crate) env: &'a Env,
    pub(crate) config: &'a Config,
    pub(crate) request: &'a Request,
    pub(crate) asked: Incoming<'a>,
}

impl From<GatewayError> for Error {
    fn from(error: GatewayError) -> Self {
        Self::new(error)
    }
}

impl Host for RequestHost<'_> {
    type Error = Error;
    type Answer = Response;

    fn now(&self) -> Timestamp {
        now()
    }

    fn fill_random(&self, bytes: &mut [u8]) -> Result<()> {
        getrandom::fill(bytes).map_err(Error::new)
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

    async fn body(&self) -> Result<std::result::Result<Vec<u8>, Refusal>> {
        Ok(http::message_body(self.request, None).await?.map(|body| http::take_bytes(&body)))
    }

    fn ask_shards(
        &self,
        names: Vec<String>,
        call: ShardCall,
    ) -> impl Future<Output = Result<Vec<Option<String>>>> {
        ask_shards(self.env, names, call)
    }

    async fn ask_directories(&self, names: Vec<String>, call: DirectoryCall) -> Result<Vec<Option<String>>> {
        ask_directories(self.env, names, &call).await
    }

    async fn offer(&self, name: &str, call: ShardCall) -> Result<(Response, u16, Option<u32>)> {
        let is_counted = matches!(&call, ShardCall::Connect(client) if client.is_counted);
        let answer = offer_client(self.env, name, &call).await?;
        let count = if is_counted { answer.headers().get(Offered::CONNECTIONS)? } else { None };
        let (status, count) = (answer.status(), count.and_then(|count| count.parse().ok()));
        Ok((answer, status, count))
    }

    async fn gather(&self, hub: &HubName, range: ShardRange, task: &Task) -> Result<Part<Response>> {
        let host = Parts { env: self.env, request: self.request };
        task.scatter(&host, hub, range, self.asked, Vec::new()).await
    }

    async fn ask_handler(
        &self,
        admission: &mut Admission<'_>,
        deciding: (&EventPolicy, &EventHandler),
        connection: &ConnectionId,
        headers: &[(String, String)],
    ) -> std::result::Result<(), ConnectRefusal> {
        let (env, hub, calls) = (self.env, deciding.0.hub.as_str(), &Calls::new());
        let keep = |delivery: &str| keep_delivery(env, hub, delivery);
        let caller = Caller { env, hub, calls, id: 0.0, keep: &keep };
        admission.ask_handler(&caller, self.config, deciding, connection, headers).await
    }

    async fn test_handler(
        &self,
        (policy, handler): (&EventPolicy, &EventHandler),
        connection: &ConnectionId,
        origin: &str,
    ) -> String {
        let (env, hub, calls) = (self.env, policy.hub.as_str(), &Calls::new());
        let keep = |delivery: &str| keep_delivery(env, hub, delivery);
        let caller = Caller { env, hub, calls, id: 0.0, keep: &keep };
        test_handler(&caller, policy, handler, connection, origin, &self.config.keys.get().access).await
    }

    fn log_failure(&self, what: &str, error: &Error) {
        log::failure(what, error);
    }

    fn log_refusal(&self, what: &str, why: &dyn Display) {
        log::refusal(what, why);
    }
}
