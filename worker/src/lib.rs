//! The edge service: a stateless Worker at the door, and one Durable Object for each shard of a hub.
//!
//! Only translation happens here. What a request means is decided by `webpubsub-protocol`, whether
//! its sender may ask by `webpubsub-auth`, and what follows from it by `webpubsub-hub`; see
//! `ARCHITECTURE.md`.

mod client_endpoint;
mod config;
mod http;
mod hub_shard;
mod log;
mod management;
mod perform;
mod route;
mod sockets;
mod storage;

pub use hub_shard::HubShard;

use webpubsub_protocol::url::RequestUrl;
use worker::{Context, Env, Request, Response, Result, event};

use crate::config::Config;

/// Tells by the path which edge a request belongs to.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let url = request.inner().url();
    let Some(url) = RequestUrl::split(&url) else {
        return http::text(400, "The request has no absolute URL.");
    };
    let config = match Config::of(&env) {
        Ok(config) => config,
        Err(error) => {
            log::failure("configuration", &error);
            return http::text(500, &format!("The service is not set up: {error}."));
        }
    };
    if url.path.starts_with("/api/") {
        management::answer(request, url, &env, &config).await
    } else if url.path.starts_with("/client") && is_endpoint(url.path) {
        client_endpoint::answer(&request, url, &env, &config).await
    } else {
        match env.assets("ASSETS") {
            Ok(assets) => Ok(assets.fetch_request(request).await?),
            Err(_) => http::text(404, "Not Found"),
        }
    }
}

/// Whether a path is for clients: `/client` and below, and `/clients/…` of the other kinds of
/// client, but not a file that happens to begin alike.
fn is_endpoint(path: &str) -> bool {
    ["/client", "/client/"].contains(&path)
        || path.starts_with("/client/hubs/")
        || path.starts_with("/clients/")
}
