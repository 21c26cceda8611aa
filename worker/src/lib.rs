//! The edge service: a stateless Worker at the door, one Durable Object for each shard of a hub, and
//! one for each hub's directory.
//!
//! Only translation happens here. What a request means is decided by `webpubsub-protocol`, whether
//! its sender may ask by `webpubsub-auth`, and what follows from it by `webpubsub-shard`; see
//! `ARCHITECTURE.md`.

mod client_endpoint;
mod config;
mod error;
mod event_handler;
mod http;
mod hub_directory;
mod hub_shard;
mod log;
mod management;
mod objects;
mod perform;
mod platform;
mod register;
mod rest;
mod route;
mod shard_host;
mod sockets;
mod sql;
mod task;
mod turns;
mod view;

pub use hub_directory::HubDirectory;
pub use hub_shard::HubShard;

use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use webpubsub_protocol::client::endpoint::{ClientEndpoint, EndpointError};
use worker::Env;
use worker::web_sys::{Request, Response};

use crate::http::{Asked, Head};
use crate::platform::{Result, asset};
use crate::route::Answer;
use crate::task::settled;

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
    task::run(async move {
        let answer = answer(&request, &env).await.or_else(|error| {
            log::failure("answering a request", &error);
            http::text(500, "INTERNAL SERVER ERROR").map(Answer::Here)
        })?;
        match answer {
            Answer::Here(response) => Ok(http::answer_after_body(&request, response).await?.into()),
            Answer::Shards(promise) => Ok(promise.into()),
        }
    })
}

/// Says by the path which edge a request belongs to.
async fn answer(request: &Request, env: &Env) -> Result<Answer> {
    let head = Head::of(request);
    let Some(asked) = head.asked(request) else {
        return http::text(400, "The request has no absolute URL.").map(Answer::Here);
    };
    let url = asked.url;
    let config = match config::of(env) {
        Ok(config) => config,
        Err(error) => {
            // Whoever probes the health reads it in the answer, again and again.
            if url.path != HEALTH {
                log::failure("configuration", &error);
            }
            return http::text(500, &format!("The service is not set up: {error}.")).map(Answer::Here);
        }
    };
    if url.path.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("/api/")) {
        return rest::answer(asked, env, &config).await;
    }
    let response = if url.path.starts_with("/management/") {
        management::answer(asked, env, &config).await
    } else {
        match ClientEndpoint::parse(url.path, url.query) {
            Err(EndpointError::NotAClientPath) => page(asked, env).await,
            Err(error) => http::text(error.status(), &format!("Invalid request: {error}.")),
            Ok(endpoint) => client_endpoint::answer(asked, &endpoint, env, &config).await,
        }
    };
    response.map(Answer::Here)
}

/// A file of the page, for those who only read.
async fn page(asked: Asked<'_>, env: &Env) -> Result<Response> {
    let reads = asked.url.path.starts_with('/') && matches!(asked.method, "GET" | "HEAD");
    if reads && !asked.is_upgrade()? { file(asked.request, env).await } else { http::text(404, "Not Found") }
}

/// What the platform answers out of the files beside the code.
async fn file(request: &Request, env: &Env) -> Result<Response> {
    Ok(settled(asset(env, request)?).await?.unchecked_into())
}
