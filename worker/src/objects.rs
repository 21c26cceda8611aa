//! Requests to Durable Objects.

use js_sys::{Array, Promise};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use webpubsub_service::{DirectoryCall, ObjectRequest, Part, REPLY_HEADER, ShardCall};
use worker::Env;
use worker::web_sys::{Headers, Request, Response};

use crate::log;
use crate::platform::{Error, Result};
use crate::task::settled;

/// The binding of the shards' Durable Objects.
const HUB_SHARD: &str = "HUB_SHARD";
/// The binding of the hubs' directories.
const HUB_DIRECTORY: &str = "HUB_DIRECTORY";

#[wasm_bindgen(module = "worker/js/objects.ts")]
extern "C" {
    #[wasm_bindgen(js_name = callObjects)]
    fn call_objects(env: &Env, kind: &str, names: Vec<String>, path: &str, body: Option<&str>) -> Promise;

    #[wasm_bindgen(js_name = forwardToShard)]
    pub(crate) fn forward_to_shard(env: &Env, name: &str, request: &Request, failed: &JsValue) -> Promise;

    #[wasm_bindgen(js_name = askWithSocket)]
    fn ask_with_socket(env: &Env, name: &str, path: &str, client: &str) -> Promise;

    #[wasm_bindgen(js_name = clientOf)]
    pub(crate) fn client_of(request: &Request) -> String;

    #[wasm_bindgen(js_name = askForParts)]
    fn ask_for_parts(
        env: &Env,
        names: Vec<String>,
        path: &str,
        method: &str,
        headers: &Headers,
        body: &JsValue,
        reply: &str,
    ) -> Promise;
}

/// Makes a call of a shard about a client that wants to have a socket, which the answer may carry.
pub(crate) async fn offer_client(env: &Env, name: &str, call: &ShardCall) -> Result<Response> {
    let ObjectRequest { path, body } = call.encode();
    Ok(settled(ask_with_socket(env, name, path, &body.unwrap_or_default())).await?.unchecked_into())
}

/// The way to all objects, over the bindings of an environment.
pub(crate) struct Objects(pub(crate) Env);

impl webpubsub_service::Objects for Objects {
    async fn ask_shards(&self, names: Vec<String>, call: ShardCall) -> Vec<Option<String>> {
        let request = call.encode();
        // It may be large.
        drop(call);
        ask(&self.0, HUB_SHARD, names, request).await
    }

    async fn ask_directories(&self, names: Vec<String>, call: DirectoryCall) -> Vec<Option<String>> {
        ask(&self.0, HUB_DIRECTORY, names, call.encode()).await
    }
}

async fn ask(
    env: &Env,
    kind: &str,
    names: Vec<String>,
    ObjectRequest { path, body }: ObjectRequest,
) -> Vec<Option<String>> {
    let asked = names.len();
    match settled(call_objects(env, kind, names, path, body.as_deref())).await {
        Ok(answers) => answers.unchecked_into::<Array>().iter().map(|answer| answer.as_string()).collect(),
        Err(thrown) => {
            log::failure("asking other objects", &Error::from(thrown));
            vec![None; asked]
        }
    }
}

/// A request that several shards receive.
pub(crate) struct Question<'a> {
    /// The path, and the query if there is one.
    pub(crate) path: &'a str,
    pub(crate) method: &'a str,
    pub(crate) headers: &'a Headers,
    /// `undefined` for none.
    pub(crate) body: JsValue,
}

/// Has all of these shards do their parts at once; one each, in their order.
pub(crate) async fn ask_for_parts_of(
    env: &Env,
    names: Vec<String>,
    Question { path, method, headers, body }: Question<'_>,
) -> Result<Vec<Part<Response>>> {
    let answers = ask_for_parts(env, names, path, method, headers, &body, REPLY_HEADER);
    let answers: Array = settled(answers).await?.unchecked_into();
    let part = |answer: JsValue| match answer.as_string() {
        Some(reply) => {
            let (header, body) = reply.split_once('\n').unwrap_or_default();
            Part::reply(header, body).ok_or_else(|| Error::NoReply)
        }
        None => Ok(Part::Refused(answer.unchecked_into())),
    };
    answers.iter().map(part).collect()
}
