//! Which shards an operation goes to, and one answer out of theirs.

use futures_util::future::try_join_all;
use webpubsub_hub::ShardNumber;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest::{self, Operation, Refusal};
use webpubsub_protocol::url::RequestUrl;
use worker::{Env, Request, RequestInit, Response, Result, Stub};

use crate::config::{Config, HUB_SHARD, object_name};
use crate::http;

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
            | Operation::ConnectionExists { connection, .. } => {
                // Any shard can say that it does not know an id which none of them made.
                let shard = ShardNumber::of(connection).filter(|shard| shard.0 < shards);
                Self::One(shard.unwrap_or(ShardNumber(0)))
            }
            Operation::Health
            | Operation::GenerateToken { .. }
            | Operation::SendToAll { .. }
            | Operation::SendToGroup { .. }
            | Operation::SendToUser { .. }
            | Operation::GroupExists { .. }
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
    mut request: Request,
    url: RequestUrl<'_>,
    env: &Env,
    config: &Config,
) -> Result<Response> {
    if let Shards::One(number) = Shards::of(operation, config.shards) {
        return shard(env, hub, number)?.fetch_with_request(request).await;
    }
    let method = request.method();
    let body = match http::message_body(&mut request).await? {
        Ok(body) => js_sys::Uint8Array::from(body.as_slice()),
        Err(refusal) => return http::rest(rest::refuse(&refusal, method.as_ref())),
    };
    let target = format!("https://shard{}", url.path_and_query());
    let answers = (0..config.shards).map(ShardNumber).map(|number| {
        let mut init = RequestInit::new();
        init.with_method(method.clone()).with_headers(request.headers().clone());
        if method == worker::Method::Post {
            init.with_body(Some(body.clone().into()));
        }
        let request = Request::new_with_init(&target, &init);
        let stub = shard(env, hub, number);
        async move { stub?.fetch_with_request(request?).await }
    });
    join(operation, try_join_all(answers).await?, method.as_ref())
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
        | Operation::GenerateToken { .. }
        | Operation::SendToAll { .. }
        | Operation::SendToGroup { .. }
        | Operation::SendToUser { .. }
        | Operation::SendToConnection { .. } => answers.iter().position(|answer| !done(answer)),
    };
    let answer = decisive.unwrap_or(0);
    if answer < answers.len() {
        Ok(answers.swap_remove(answer))
    } else {
        http::rest(rest::refuse(&Refusal::Internal, method))
    }
}
