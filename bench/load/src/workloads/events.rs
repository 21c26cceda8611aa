//! Events that an event handler receives and answers, one of each client at a time.

use std::convert::Infallible;
use std::rc::Rc;

use bytes::Bytes;
use futures_util::future::try_join_all;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming as Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::traffic::Traffic;
use crate::client::{Client, open_all};
use crate::dialect::{self, Incoming};
use crate::error::LoadError;
use crate::figures::Figures;
use crate::plan::{Events, Plan};

/// Sends events and measures how long it takes until they are acknowledged.
pub(super) async fn run(plan: &Plan, workload: &Events) -> Result<Figures, LoadError> {
    listen(TcpListener::bind(&workload.handler).await?);
    let traffic = Traffic::new(Vec::new());
    let on = {
        let traffic = Rc::clone(&traffic);
        Rc::new(move |_, event| {
            if let Ok(Incoming::Ack { id, done: true }) = event
                && let Ok(number) = usize::try_from(id)
            {
                traffic.time(number);
            }
            traffic.receive_answer(event);
        })
    };
    let clients = open_all(plan, 0..workload.clients, |_| Some(&workload.client), on).await?;
    let send_until = async |client: &Client, until: Instant| {
        while let Some(since) = traffic.next(until) {
            let (number, answered) = traffic.publish(0, 1, since);
            let ack = u64::try_from(number).unwrap_or(u64::MAX);
            client.send(plan.dialect.event(dialect::numbered(number, workload.size), Some(ack))?);
            traffic.arrival(answered).await;
        }
        Ok::<(), LoadError>(())
    };
    let all_until = async |until: Instant| {
        try_join_all(clients.iter().map(|client| send_until(client, until))).await.map(drop)
    };
    let measured = traffic.measure(plan, |until| all_until(until)).await?;
    let mut figures = Figures::default();
    measured.note(&mut figures, "");
    traffic.note(&mut figures);
    Ok(figures)
}

/// Takes every event, and every hub that asks whether it wants them.
fn listen(listener: TcpListener) {
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
            tokio::task::spawn_local(async move { drop(connection.await) });
        }
    });
}

async fn answer(request: Request<Body>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let mut response = Response::new(Empty::new());
    if request.method() == Method::OPTIONS {
        response.headers_mut().insert("webhook-allowed-origin", hyper::header::HeaderValue::from_static("*"));
    } else {
        // A body that breaks off is for the server to detect: its event fails.
        drop(request.into_body().collect().await);
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    Ok(response)
}
