//! A credential that asks the application's server for its URL, over gloo-net's `http`.

use gloo_net::http::Request;
use serde::Deserialize;

use crate::credential::Credential;

/// Why a negotiate endpoint gave no URL.
#[derive(Debug, thiserror::Error)]
pub enum NegotiateError {
    /// The request failed; with what the browser says of it.
    #[error("the request failed: {reason}")]
    Failed {
        /// What the browser says.
        reason: String,
    },
    /// The endpoint answered with a status that is none of 200 to 299.
    #[error("the endpoint answered with HTTP {status}")]
    Refused {
        /// The status.
        status: u16,
    },
    /// The answer is neither a URL nor JSON with one as `url`.
    #[error("the answer has no URL")]
    NoUrl,
}

/// What negotiate endpoints answer, Microsoft's samples among them.
#[derive(Deserialize)]
struct Negotiated {
    url: String,
}

impl Credential {
    /// Asks an endpoint of the application's server for each new connection: `GET`, answered with the
    /// client access URL as text, or with JSON that has it as `url`.
    ///
    /// ```no_run
    /// use futures_util::StreamExt;
    /// use webpubsub::{Credential, WebPubSubClient};
    ///
    /// wasm_bindgen_futures::spawn_local(async {
    ///     let client = WebPubSubClient::builder(Credential::negotiate("/negotiate")).build().unwrap();
    ///     let mut messages = client.group_messages("room").unwrap();
    ///     client.start().await.unwrap();
    ///     client.join_group("room").await.unwrap();
    ///     while let Some(Ok(message)) = messages.next().await {
    ///         web_sys_console(message.text().unwrap_or_default());
    ///     }
    /// });
    /// # fn web_sys_console(_: &str) {}
    /// ```
    #[must_use]
    pub fn negotiate(endpoint: impl Into<String>) -> Self {
        let endpoint = endpoint.into();
        Self::from_fn(move || negotiate(endpoint.clone()))
    }
}

async fn negotiate(endpoint: String) -> Result<String, NegotiateError> {
    let failed = |error: gloo_net::Error| NegotiateError::Failed { reason: error.to_string() };
    let response = Request::get(&endpoint).send().await.map_err(failed)?;
    if !response.ok() {
        return Err(NegotiateError::Refused { status: response.status() });
    }
    url(&response.text().await.map_err(failed)?).ok_or(NegotiateError::NoUrl)
}

fn url(answer: &str) -> Option<String> {
    let answer = answer.trim();
    match serde_json::from_str::<Negotiated>(answer) {
        Ok(negotiated) => Some(negotiated.url),
        Err(_) => answer.starts_with("ws").then(|| answer.to_owned()),
    }
}
