//! Which shards a task goes to, and one answer out of theirs.

use js_sys::{Array, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use webpubsub_hub::{ShardNumber, Success, Task, TaskPlace};
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest;
use webpubsub_protocol::url::RequestUrl;
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Env, Request, Response, Result, Stub, web_sys};

use crate::config::{Config, HUB_SHARD, object_name};
use crate::http;

#[wasm_bindgen(inline_js = r#"
export function askAll(namespace, names, url, headers, method, body) {
  const init = method === "POST" ? { method, headers, body } : { method, headers };
  return Promise.all(names.map((name) => namespace.getByName(name).fetch(url, init)));
}
"#)]
extern "C" {
    /// Makes the same request of every object of these names at once.
    #[wasm_bindgen(js_name = askAll)]
    fn ask_all(
        namespace: &JsValue,
        names: Vec<String>,
        url: &str,
        headers: &web_sys::Headers,
        method: &str,
        body: &Uint8Array,
    ) -> Promise;
}

/// The Durable Object of a shard.
pub(crate) fn shard(env: &Env, hub: &HubName, shard: ShardNumber) -> Result<Stub> {
    env.durable_object(HUB_SHARD)?.get_by_name(&object_name(hub, shard))
}

/// The shards of a hub.
#[derive(Clone, Copy)]
pub(crate) struct Shards<'a> {
    pub(crate) env: &'a Env,
    pub(crate) config: &'a Config,
    pub(crate) hub: &'a HubName,
}

impl Shards<'_> {
    /// Has a task carried out: the raw request is handed on where one shard sees it, and its body is
    /// read once where several do.
    pub(crate) async fn carry_out(
        self,
        task: &Task,
        request: Request,
        url: RequestUrl<'_>,
    ) -> Result<Response> {
        if let Some(number) = self.only(&task.place) {
            return shard(self.env, self.hub, number)?.fetch_with_request(request).await;
        }
        let body = match http::message_body(&request).await? {
            Ok(body) => body,
            Err(refusal) => return http::rest(rest::refuse(&refusal, &request.inner().method())),
        };
        let mut answers = self.ask_all(&request, url, &body).await?;
        let done = |answer: &Response| (200..300).contains(&answer.status_code());
        let decisive = match task.success {
            Success::OfOne => answers.iter().position(done),
            Success::OfAll => answers.iter().position(|answer| !done(answer)),
        };
        Ok(answers.swap_remove(decisive.unwrap_or(0)))
    }

    /// Makes the same request of every shard; one answer each, in their order.
    pub(crate) async fn ask_all(
        self,
        request: &Request,
        url: RequestUrl<'_>,
        body: &Uint8Array,
    ) -> Result<Vec<Response>> {
        let names = (0..self.config.shards).map(|number| object_name(self.hub, ShardNumber(number)));
        let url = format!("https://shard{}", url.path_and_query());
        let namespace = Reflect::get(self.env, &HUB_SHARD.into())?;
        let request = request.inner();
        let answers = ask_all(&namespace, names.collect(), &url, &request.headers(), &request.method(), body);
        let answers: Array = JsFuture::from(answers).await?.unchecked_into();
        Ok(answers
            .iter()
            .map(|answer| Response::from(answer.unchecked_into::<web_sys::Response>()))
            .collect())
    }

    /// The one shard that a task goes to, if it is one.
    fn only(self, place: &TaskPlace) -> Option<ShardNumber> {
        match place {
            TaskPlace::HolderOf(connection) => {
                // Any shard can say that it does not know an id which none of them made.
                let shard = ShardNumber::of(connection).filter(|shard| shard.0 < self.config.shards);
                Some(shard.unwrap_or(ShardNumber(0)))
            }
            TaskPlace::Everywhere => (self.config.shards == 1).then_some(ShardNumber(0)),
        }
    }
}
