//! Why a workload has no figures.

use std::io;

use tokio_tungstenite::tungstenite;

/// Why a workload could not be carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// The plan is not one.
    #[error("the plan cannot be read: {0}")]
    Plan(serde_json::Error),
    /// The plan asks for what the server's dialect has no words for.
    #[error("{dialect} cannot {what}")]
    CannotSay {
        /// How the server is spoken to.
        dialect: &'static str,
        /// What the plan asks for.
        what: &'static str,
    },
    /// The plan lacks what its workload needs.
    #[error("the plan has no {0}")]
    Missing(&'static str),
    /// A name in the plan is none.
    #[error("{name:?} is no {kind}")]
    Name {
        /// What it should be.
        kind: &'static str,
        /// What it is.
        name: String,
    },
    /// A socket, standard input or the runtime failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A WebSocket could not be opened, or broke.
    #[error("WebSocket: {0}")]
    WebSocket(#[from] tungstenite::Error),
    /// The first frame of a connection was not a greeting.
    #[error("a connection ended before it was greeted")]
    NotGreeted,
    /// The server closed a connection that the workload needs.
    #[error("the server closed a connection: {0}")]
    Closed(String),
    /// An HTTP request failed.
    #[error("HTTP: {0}")]
    Http(#[from] hyper::Error),
    /// A request cannot be made of what the plan says.
    #[error("HTTP: {0}")]
    Request(#[from] hyper::http::Error),
    /// A publish or a new connection was refused.
    #[error("{method} {path} was answered {status}: {body}")]
    Refused {
        /// Its method.
        method: &'static str,
        /// Its path, without the query.
        path: String,
        /// The answer's status.
        status: u16,
        /// The answer's body.
        body: String,
    },
    /// An acknowledgement said that an operation was not done.
    #[error("the operation with the ack id {0} was not done")]
    NotDone(u64),
    /// What should have come did not.
    #[error("{0} did not come within {1} s")]
    Late(&'static str, u64),
}
