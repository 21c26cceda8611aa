//! Requests of the REST API on their way to shards: one as it is, or its parts to several.

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::Closure;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest::{self, Refusal};
use webpubsub_service::gateway::Incoming;
use webpubsub_service::{Part, ShardRange, Task, Work, object_name};
use worker::Env;
use worker::web_sys::{Request, Response};

use crate::objects::{Question, ask_for_parts_of, forward_to_shard};
use crate::platform::{Error, Result};
use crate::task::Settled;
use crate::{http, log};

thread_local! {
    /// Answers a request of the REST API, of which a method and an error are left.
    static FAILED: JsValue = Closure::<dyn Fn(JsValue, String) -> Settled>::new(|error, method: String| {
        log::failure("asking a shard", &Error::from(error));
        Ok(http::rest(rest::refuse(&Refusal::Internal, &method))?.into())
    })
    .into_js_value();
}

/// Forwards the raw request to one shard. Resolves with its answer, or with one that says that it has failed.
pub(crate) fn forward(env: &Env, name: &str, request: &Request) -> Promise {
    FAILED.with(|failed| forward_to_shard(env, name, request, failed))
}

/// Shards of a hub.
#[derive(Clone, Copy)]
pub(crate) struct Shards<'a> {
    pub(crate) env: &'a Env,
    pub(crate) hub: &'a HubName,
    pub(crate) range: ShardRange,
}

impl Shards<'_> {
    /// Has all these shards do their parts, through each other where they are many; one out of theirs and of
    /// those that are there already.
    pub(crate) async fn gather(
        self,
        task: &Task,
        request: &Request,
        Incoming { method, url, .. }: Incoming<'_>,
        mut parts: Vec<Part<Response>>,
    ) -> Result<Part<Response>> {
        if matches!(task.work, Work::Deliver { .. })
            && let Err(refusal) = http::content_kind(request)?
        {
            return http::rest(rest::refuse(&refusal, method)).map(Part::Refused);
        }
        let bytes = if task.work.needs_body() {
            match http::message_body(request, None).await? {
                Ok(bytes) => bytes,
                Err(refusal) => return http::rest(rest::refuse(&refusal, method)).map(Part::Refused),
            }
        } else {
            Uint8Array::new_with_length(0)
        };
        // Only a POST has a body here, and a request that must not have one cannot have an empty one.
        let body = if method == "POST" { bytes.clone().into() } else { JsValue::UNDEFINED };
        let names = self.range.asked().map(|shard| object_name(self.hub, shard)).collect();
        let headers = request.headers();
        let path = self.range.address(&url.path_and_query());
        let question = Question { path: &path, method, headers: &headers, body };
        parts.extend(ask_for_parts_of(self.env, names, question).await?);
        http::free_bytes(&bytes);
        task.gather(parts).ok_or_else(|| Error::new("no shard answered"))
    }
}
