//! The edge service: a stateless Worker at the door, one Durable Object for each shard of a hub, and
//! one for each hub's directory.
//!
//! Only translation happens here. What a request comes to is decided by the gateway of
//! `webpubsub-service`, and what follows from it by `webpubsub-shard`; see
//! `ARCHITECTURE.md`. What is bound from `worker/js` is documented there, where it is written.

mod config;
mod error;
mod event_handler;
mod gateway_host;
mod http;
mod hub_directory;
mod hub_shard;
mod log;
mod objects;
mod platform;
mod promise;
mod route;
mod shard_host;
mod sockets;
mod sql;
mod step_host;
mod turns;

pub use hub_directory::HubDirectory;
pub use hub_shard::HubShard;

use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use webpubsub_service::gateway::{Answer, Gateway, Incoming};
use worker::Env;
use worker::web_sys::{Request, Response};

use crate::gateway_host::RequestHost;
use crate::http::request_head;
use crate::objects::Objects;
use crate::platform::{Result, WebSocketPair, asset};
use crate::promise::settled;
use crate::route::forward;
use crate::sockets::refuse_socket;

/// Where the service's health is asked for.
const HEALTH: &str = "/api/health";

#[global_allocator]
static ALLOCATOR: rlsf::GlobalTlsf = rlsf::GlobalTlsf::new();

/// Answers a request.
///
/// # Errors
/// The platform takes no answer.
#[wasm_bindgen]
pub fn fetch(request: Request, env: Env) -> std::result::Result<JsValue, JsValue> {
    let objects = Objects(env);
    promise::run(async move {
        let answer = answer(&request, &objects).await.or_else(|error| {
            log::failure("answering a request", &error);
            http::text(500, "INTERNAL SERVER ERROR").map(Answer::Pass)
        })?;
        let response = match answer {
            Answer::Forward(name) => return Ok(forward(&objects.0, &name, &request).into()),
            Answer::Respond(response) => http::rest(response)?,
            Answer::Pass(response) => response,
            // A file beside the code.
            Answer::File => settled(asset(&objects.0, &request)?).await?.unchecked_into(),
            Answer::Accept(response, subprotocol) => match http::web_socket(&response) {
                Some(socket) => http::switch_protocols(&socket, subprotocol.as_deref())?,
                None => response,
            },
            Answer::AcceptAndClose(cause, subprotocol) => {
                let pair = WebSocketPair::new();
                refuse_socket(&pair.server(), cause.code().0, cause.reason());
                http::switch_protocols(&pair.client(), subprotocol.as_deref())?
            }
        };
        Ok(http::answer_after_body(&request, response).await?.into())
    })
}

async fn answer(request: &Request, objects: &Objects) -> Result<Answer<Response>> {
    let head = request_head(request);
    let Some(asked) = Incoming::read(&head) else {
        return http::text(400, "The request has no absolute URL.").map(Answer::Pass);
    };
    match config::of(&objects.0) {
        Ok(config) => {
            let host = RequestHost { objects, request, asked };
            Ok(Gateway::new(&host, &config).answer(asked).await)
        }
        Err(error) => {
            // Whoever probes the health reads it in the answer, again and again.
            if asked.url.path != HEALTH {
                log::failure("configuration", &error);
            }
            http::text(500, &format!("The service is not set up: {error}.")).map(Answer::Pass)
        }
    }
}
