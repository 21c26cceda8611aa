use std::fmt;

/// Where a service is and what opens it, as one line to copy.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectionString {
    /// Scheme, host and port, without a slash at the end.
    pub endpoint: String,
    /// The access key.
    pub access_key: String,
}

/// Why a line is no connection string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionStringError {
    /// A part is not `Name=Value`.
    #[error("a part of the connection string is not Name=Value")]
    Part,
}

impl ConnectionString {
    /// Reads one.
    ///
    /// # Errors
    /// [`ConnectionStringError`] for the first thing that is wrong.
    pub fn parse(_text: &str) -> Result<Self, ConnectionStringError> {
        Err(ConnectionStringError::Part)
    }
}

impl fmt::Display for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint={};AccessKey={};Version=1.0;", self.endpoint, self.access_key)
    }
}
