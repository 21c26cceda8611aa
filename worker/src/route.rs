//! Which shards a task goes to, and one answer out of theirs.

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use webpubsub_hub::{ShardMap, ShardNumber, Success, Task, TaskPlace};
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest;
use webpubsub_protocol::url::RequestUrl;
use worker::Env;
use worker::web_sys::{Request, Response};

use crate::config::{Config, object_name};
use crate::http;
use crate::objects::{Objects, Question};
use crate::platform::{Error, Result};

/// The shards of a hub.
#[derive(Clone, Copy)]
pub(crate) struct Shards<'a> {
    pub(crate) env: &'a Env,
    pub(crate) config: &'a Config,
    pub(crate) hub: &'a HubName,
    pub(crate) map: ShardMap,
}

impl Shards<'_> {
    /// Has a task carried out: the raw request is handed on where one shard sees it, and its body is
    /// read once where several do.
    pub(crate) async fn carry_out(
        self,
        task: &Task,
        request: &Request,
        url: RequestUrl<'_>,
    ) -> Result<Response> {
        if let Some(number) = self.only(&task.place) {
            let name = object_name(self.hub, number);
            return Objects::shards(self.env)?.hand(&name, request).await;
        }
        let body = match http::message_body(request).await? {
            Ok(body) => body,
            Err(refusal) => return http::rest(rest::refuse(&refusal, &request.method())),
        };
        let mut answers = self.ask_all(request, url, &body).await?;
        let done = |answer: &Response| (200..300).contains(&answer.status());
        let decisive = match task.success {
            Success::OfOne => answers.iter().position(done),
            Success::OfAll => answers.iter().position(|answer| !done(answer)),
        };
        let answer = decisive.unwrap_or(0);
        if answer >= answers.len() {
            return Err(Error::new("no shard answered"));
        }
        Ok(answers.swap_remove(answer))
    }

    /// Makes the same request of every shard; one answer each, in their order.
    pub(crate) async fn ask_all(
        self,
        request: &Request,
        url: RequestUrl<'_>,
        body: &Uint8Array,
    ) -> Result<Vec<Response>> {
        let names = (0..self.map.reached).map(|number| object_name(self.hub, ShardNumber(number)));
        let method = request.method();
        // Only a POST has a body here, and a request that must not have one cannot have an empty one.
        let body = if method == "POST" { body.into() } else { JsValue::UNDEFINED };
        let headers = request.headers();
        let path = url.path_and_query();
        let question = Question { path: &path, method: &method, headers: &headers, body };
        Objects::shards(self.env)?.ask(names.collect(), question).await
    }

    /// The one shard that a task goes to, if it is one.
    fn only(self, place: &TaskPlace) -> Option<ShardNumber> {
        match place {
            TaskPlace::HolderOf(connection) => {
                // Any shard can say that it does not know an id which none of them made.
                let shard = ShardNumber::of(connection).filter(|shard| shard.0 < self.map.reached);
                Some(shard.unwrap_or(ShardNumber(0)))
            }
            TaskPlace::Everywhere => (self.map.reached == 1).then_some(ShardNumber(0)),
        }
    }
}
