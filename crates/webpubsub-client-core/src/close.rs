//! How a socket ended.

use webpubsub_protocol::close::CloseCode;

/// How a socket ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    /// The code, 1005 where none was given and 1006 where the link was lost.
    pub code: CloseCode,
    /// The text beside it, often empty.
    pub reason: String,
}

impl Close {
    /// The end of a socket on which the service no longer answers.
    pub(crate) fn silence() -> Self {
        Self { code: CloseCode::ABNORMAL, reason: "The service went silent.".to_owned() }
    }
}
