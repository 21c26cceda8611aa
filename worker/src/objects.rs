//! Requests to Durable Objects.

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use webpubsub_service::{DirectoryCall, ObjectRequest, ShardCall, TaskHead};
use worker::Env;
use worker::web_sys::{Request, Response};

use crate::log;
use crate::platform::{Error, Result};
use crate::promise::settled;

/// The binding of the shards' Durable Objects.
const HUB_SHARD: &str = "HUB_SHARD";
/// The binding of the hubs' directories.
const HUB_DIRECTORY: &str = "HUB_DIRECTORY";

#[wasm_bindgen(module = "worker/js/objects.ts")]
extern "C" {
    #[wasm_bindgen(js_name = callObjects)]
    fn call_objects(env: &Env, kind: &str, names: Vec<String>, path: &str, body: &str) -> Promise;

    #[wasm_bindgen(js_name = forwardToShard)]
    pub(crate) fn forward_to_shard(
        env: &Env,
        name: &str,
        request: &Request,
        prefix: &str,
        failed: &JsValue,
    ) -> Promise;

    #[wasm_bindgen(js_name = canForward)]
    pub(crate) fn can_forward(request: &Request) -> bool;

    #[wasm_bindgen(js_name = askWithSocket)]
    fn ask_with_socket(env: &Env, name: &str, path: &str, client: &str) -> Promise;

    #[wasm_bindgen(js_name = serveOnAll)]
    fn serve_on_all(env: &Env, names: Vec<String>, head: &str, body: Option<&Uint8Array>) -> Promise;
}

/// Makes a call of a shard about a client that wants to have a socket, which the answer may carry.
pub(crate) async fn offer_client(env: &Env, name: &str, call: &ShardCall) -> Result<Response> {
    let ObjectRequest { path, body } = call.encode();
    Ok(settled(ask_with_socket(env, name, path, &body)).await?.unchecked_into())
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
    match settled(call_objects(env, kind, names, path, &body)).await {
        Ok(answers) => answers.unchecked_into::<Array>().iter().map(|answer| answer.as_string()).collect(),
        Err(thrown) => {
            log::failure("asking other objects", &Error::from(thrown));
            vec![None; asked]
        }
    }
}

/// Has all of these shards carry a request out at once; one answer each, in their order.
pub(crate) async fn serve_on_shards(
    env: &Env,
    names: Vec<String>,
    head: &TaskHead,
    body: Option<&Uint8Array>,
) -> Result<Vec<String>> {
    let answers: Array = settled(serve_on_all(env, names, &head.0, body)).await?.unchecked_into();
    Ok(answers.iter().filter_map(|answer| answer.as_string()).collect())
}
