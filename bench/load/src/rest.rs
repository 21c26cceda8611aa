//! Publishing over HTTP, on a connection that is kept.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::error::LoadError;
use crate::plan::Endpoint;

/// One HTTP/1.1 connection to the server.
pub(crate) struct Rest {
    address: String,
    sender: SendRequest<Full<Bytes>>,
}

impl Rest {
    /// Connects.
    pub(crate) async fn open(address: &str) -> Result<Self, LoadError> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // A connection that breaks fails the request that is on it.
        tokio::task::spawn_local(async move { drop(connection.await) });
        Ok(Self { address: address.to_owned(), sender })
    }

    /// Publishes a text, and waits for the answer.
    pub(crate) async fn publish(&mut self, endpoint: &Endpoint, body: Bytes) -> Result<(), LoadError> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(&endpoint.path)
            .header(HOST, &self.address)
            .header(CONTENT_TYPE, "text/plain");
        for (name, value) in &endpoint.headers {
            request = request.header(name, value);
        }
        self.sender.ready().await?;
        let response = self.sender.send_request(request.body(Full::new(body))?).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if status.is_success() {
            return Ok(());
        }
        let (path, _) = endpoint.path.split_once('?').unwrap_or((&endpoint.path, ""));
        let body = String::from_utf8_lossy(&body).into_owned();
        Err(LoadError::Refused { method: "POST", path: path.to_owned(), status: status.as_u16(), body })
    }
}
