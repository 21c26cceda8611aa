//! Which shards an operation goes to, and one answer out of theirs.

use js_sys::{Array, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use webpubsub_hub::ShardNumber;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest::{self, Operation, Refusal};
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

/// The shards that an operation concerns.
enum Shards {
    /// The one that holds what it is about.
    One(ShardNumber),
    /// Every one of the hub.
    All,
}

impl Shards {
    fn of(operation: &Operation, shards: u16) -> Self {
        match operation {
            Operation::SendToConnection { connection, .. }
            | Operation::ConnectionExists { connection, .. }
            | Operation::CloseConnection { connection, .. }
            | Operation::RemoveConnectionFromAllGroups { connection, .. }
            | Operation::AddConnectionToGroup { connection, .. }
            | Operation::RemoveConnectionFromGroup { connection, .. }
            | Operation::GrantPermission { connection, .. }
            | Operation::CheckPermission { connection, .. }
            | Operation::RevokePermission { connection, .. } => {
                // Any shard can say that it does not know an id which none of them made.
                let shard = ShardNumber::of(connection).filter(|shard| shard.0 < shards);
                Self::One(shard.unwrap_or(ShardNumber(0)))
            }
            Operation::Health
            | Operation::OpenApi
            | Operation::GenerateToken { .. }
            | Operation::SendToAll { .. }
            | Operation::SendToGroup { .. }
            | Operation::SendToUser { .. }
            | Operation::GroupExists { .. }
            | Operation::CloseAll { .. }
            | Operation::CloseGroup { .. }
            | Operation::CloseUser { .. }
            | Operation::AddToGroups { .. }
            | Operation::RemoveFromGroups { .. }
            | Operation::ListMembers { .. }
            | Operation::AddUserToGroup { .. }
            | Operation::RemoveUserFromGroup { .. }
            | Operation::RemoveUserFromAllGroups { .. }
            | Operation::UserExists { .. } => {
                if shards == 1 {
                    Self::One(ShardNumber(0))
                } else {
                    Self::All
                }
            }
        }
    }
}

/// The Durable Object of a shard.
pub(crate) fn shard(env: &Env, hub: &HubName, shard: ShardNumber) -> Result<Stub> {
    env.durable_object(HUB_SHARD)?.get_by_name(&object_name(hub, shard))
}

/// Has an operation carried out: the raw request is handed on where one shard sees it, and its body
/// is read once where several do.
pub(crate) async fn carry_out(
    hub: &HubName,
    operation: &Operation,
    request: Request,
    url: RequestUrl<'_>,
    env: &Env,
    config: &Config,
) -> Result<Response> {
    if let Shards::One(number) = Shards::of(operation, config.shards) {
        return shard(env, hub, number)?.fetch_with_request(request).await;
    }
    let method = request.inner().method();
    let body = match http::message_body(&request).await? {
        Ok(body) => body,
        Err(refusal) => return http::rest(rest::refuse(&refusal, &method)),
    };
    let names = (0..config.shards).map(|number| object_name(hub, ShardNumber(number))).collect();
    let url = format!("https://shard{}", url.path_and_query());
    let namespace = Reflect::get(env, &HUB_SHARD.into())?;
    let answers = ask_all(&namespace, names, &url, &request.inner().headers(), &method, &body);
    let answers: Array = JsFuture::from(answers).await?.unchecked_into();
    let answers = answers.iter().map(|answer| Response::from(answer.unchecked_into::<web_sys::Response>()));
    join(operation, answers.collect(), &method)
}

/// The answer that stands for all: something exists if one shard has it; anything else is done if
/// every shard has done it.
fn join(operation: &Operation, mut answers: Vec<Response>, method: &str) -> Result<Response> {
    let done = |answer: &Response| (200..300).contains(&answer.status_code());
    let decisive = match operation {
        Operation::ConnectionExists { .. } | Operation::GroupExists { .. } | Operation::UserExists { .. } => {
            answers.iter().position(done)
        }
        Operation::Health
        | Operation::OpenApi
        | Operation::GenerateToken { .. }
        | Operation::SendToAll { .. }
        | Operation::SendToGroup { .. }
        | Operation::SendToUser { .. }
        | Operation::CloseConnection { .. }
        | Operation::RemoveConnectionFromAllGroups { .. }
        | Operation::AddConnectionToGroup { .. }
        | Operation::RemoveConnectionFromGroup { .. }
        | Operation::GrantPermission { .. }
        | Operation::CheckPermission { .. }
        | Operation::RevokePermission { .. }
        | Operation::CloseAll { .. }
        | Operation::CloseGroup { .. }
        | Operation::CloseUser { .. }
        | Operation::AddToGroups { .. }
        | Operation::RemoveFromGroups { .. }
        | Operation::ListMembers { .. }
        | Operation::AddUserToGroup { .. }
        | Operation::RemoveUserFromGroup { .. }
        | Operation::RemoveUserFromAllGroups { .. }
        | Operation::SendToConnection { .. } => answers.iter().position(|answer| !done(answer)),
    };
    let answer = decisive.unwrap_or(0);
    if answer < answers.len() {
        Ok(answers.swap_remove(answer))
    } else {
        http::rest(rest::refuse(&Refusal::Internal, method))
    }
}
