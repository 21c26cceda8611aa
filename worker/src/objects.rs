//! Requests to the shards' Durable Objects.

use js_sys::{Array, Promise, Reflect};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use worker::Env;
use worker::web_sys::{Headers, Request, Response};

use crate::platform::Result;
use crate::task::settled;

/// The binding of the shards' Durable Objects.
const HUB_SHARD: &str = "HUB_SHARD";
/// The binding of the hubs' directories.
const HUB_DIRECTORY: &str = "HUB_DIRECTORY";

#[wasm_bindgen(module = "worker/js/objects.ts")]
extern "C" {
    #[wasm_bindgen(js_name = askTexts)]
    fn ask_texts(namespace: &JsValue, names: Vec<String>, path: &str, body: Option<&str>) -> Promise;

    /// Forwards a request as it is. Resolves with the object's answer, or with what `failed` makes of the
    /// error and the method.
    #[wasm_bindgen(js_name = forwardToShard)]
    pub(crate) fn forward_to_shard(env: &Env, name: &str, request: &Request, failed: &JsValue) -> Promise;

    #[wasm_bindgen(js_name = askWithSocket)]
    fn ask_with_socket(env: &Env, name: &str, path: &str, client: &str) -> Promise;

    /// What [`offer_client`] said of a client.
    #[wasm_bindgen(js_name = clientOf)]
    pub(crate) fn client_of(request: &Request) -> String;

    #[wasm_bindgen(js_name = askObjects)]
    fn ask_objects(
        namespace: &JsValue,
        names: Vec<String>,
        url: &str,
        method: &str,
        headers: &Headers,
        body: &JsValue,
    ) -> Promise;
}

/// Asks a shard something about a client who wants to have a socket, of whom `client` says who it is.
pub(crate) async fn offer_client(env: &Env, name: &str, path: &str, client: &str) -> Result<Response> {
    Ok(settled(ask_with_socket(env, name, path, client)).await?.unchecked_into())
}

/// What one request to objects says.
pub(crate) struct Question<'a> {
    /// The path, and the query if there is one.
    pub(crate) path: &'a str,
    pub(crate) method: &'a str,
    pub(crate) headers: &'a Headers,
    /// `undefined` for none.
    pub(crate) body: JsValue,
}

/// Durable Objects of one kind, by name.
pub(crate) struct Objects(JsValue);

impl Objects {
    /// All shards.
    pub(crate) fn shards(env: &Env) -> Result<Self> {
        Ok(Self(Reflect::get(env, &HUB_SHARD.into())?))
    }

    /// All directories.
    pub(crate) fn directories(env: &Env) -> Result<Self> {
        Ok(Self(Reflect::get(env, &HUB_DIRECTORY.into())?))
    }

    /// Asks all of these the same at once, or sends them a body if there is one; one text
    /// each, in their order, which is empty for a failure.
    pub(crate) async fn ask_texts(
        &self,
        names: Vec<String>,
        path: &str,
        body: Option<&str>,
    ) -> Result<Vec<String>> {
        let answers: Array = settled(ask_texts(&self.0, names, path, body)).await?.unchecked_into();
        Ok(answers.iter().map(|text| text.as_string().unwrap_or_default()).collect())
    }

    /// Makes the same request of all of these at once; one answer each, in their order.
    pub(crate) async fn ask(&self, names: Vec<String>, question: Question<'_>) -> Result<Vec<Response>> {
        let Question { path, method, headers, body } = question;
        let url = format!("https://object{path}");
        let answers = ask_objects(&self.0, names, &url, method, headers, &body);
        let answers: Array = settled(answers).await?.unchecked_into();
        Ok(answers.iter().map(JsValue::unchecked_into).collect())
    }
}
