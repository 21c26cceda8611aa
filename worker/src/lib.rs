//! The edge service's door.
use worker::{Context, DurableObject, Env, Request, Response, Result, State, durable_object, event};

#[event(fetch)]
async fn fetch(_request: Request, _env: Env, _context: Context) -> Result<Response> {
    Response::error("Not Found", 404)
}

/// Stand-in.
#[durable_object]
pub struct HubShard {}

impl DurableObject for HubShard {
    fn new(_state: State, _env: Env) -> Self {
        Self {}
    }
    async fn fetch(&self, _request: Request) -> Result<Response> {
        Response::empty()
    }
}
