//! Connection strings, in Azure's form.

use std::fmt;

/// Where a service is and what opens it, as one line to copy:
/// `Endpoint=https://example.com;AccessKey=…;Version=1.0;`.
///
/// Source: docs/spec/rest.md#authentication.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectionString {
    /// Scheme, host and, where it is not the scheme's own, port; no slash at the end.
    pub endpoint: String,
    /// The access key.
    pub access_key: String,
}

/// Why a line is no connection string. No variant holds any part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionStringError {
    /// A part is not `Name=Value`.
    #[error("a part of the connection string is not Name=Value")]
    Part,
    /// A name stands there twice.
    #[error("a name in the connection string is repeated")]
    Repeated,
    /// A part that has to be there is missing or empty.
    #[error("the connection string has no {0}")]
    Missing(&'static str),
    /// The endpoint is not `http://HOST` or `https://HOST`.
    #[error("the connection string's Endpoint is not http://HOST or https://HOST")]
    Endpoint,
    /// The port is no number from 1 to 65535, or the endpoint has one already.
    #[error("the connection string's Port is not a number from 1 to 65535 beside an Endpoint without one")]
    Port,
    /// The version is not 1.0.
    #[error("the connection string's Version is not 1.0")]
    Version,
}

impl ConnectionString {
    /// Reads one. The case of names does not count; names that are not ours are ignored; an
    /// endpoint without a scheme is `https`.
    ///
    /// # Errors
    /// [`ConnectionStringError`] for the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, ConnectionStringError> {
        let [mut endpoint, mut access_key, mut port, mut version] = [None; 4];
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or(ConnectionStringError::Part)?;
            let slot = match name.trim().to_ascii_lowercase().as_str() {
                "endpoint" => &mut endpoint,
                "accesskey" => &mut access_key,
                "port" => &mut port,
                "version" => &mut version,
                _ => continue,
            };
            if slot.replace(value.trim()).is_some() {
                return Err(ConnectionStringError::Repeated);
            }
        }
        let given = |value: Option<&str>, name| {
            value
                .filter(|value| !value.is_empty())
                .map(str::to_owned)
                .ok_or(ConnectionStringError::Missing(name))
        };
        if version.is_some_and(|version| version != "1.0") {
            return Err(ConnectionStringError::Version);
        }
        Ok(Self {
            endpoint: origin(&given(endpoint, "Endpoint")?, port)?,
            access_key: given(access_key, "AccessKey")?,
        })
    }
}

fn origin(endpoint: &str, port: Option<&str>) -> Result<String, ConnectionStringError> {
    let (scheme, host) = endpoint.split_once("://").unwrap_or(("https", endpoint));
    let scheme = scheme.to_ascii_lowercase();
    let host = host.strip_suffix('/').unwrap_or(host);
    let is_host = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || "/?#@".contains(c));
    if !is_host || !matches!(scheme.as_str(), "http" | "https") {
        return Err(ConnectionStringError::Endpoint);
    }
    let Some(port) = port else { return Ok(format!("{scheme}://{host}")) };
    // A colon inside brackets is an IPv6 address's own.
    let has_port = host.rsplit(']').next().is_some_and(|rest| rest.contains(':'));
    match port.parse::<u16>() {
        Ok(port) if port > 0 && !has_port => Ok(format!("{scheme}://{host}:{port}")),
        Ok(_) | Err(_) => Err(ConnectionStringError::Port),
    }
}

/// The whole line, key included: it is made to be copied.
impl fmt::Display for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint={};AccessKey={};Version=1.0;", self.endpoint, self.access_key)
    }
}

/// Leaves the key out.
impl fmt::Debug for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionString").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(String, String), ConnectionStringError> {
        ConnectionString::parse(text).map(|string| (string.endpoint, string.access_key))
    }

    #[test]
    fn connection_strings_are_read_as_the_sdks_read_them() {
        let cases = [
            ("Endpoint=https://h;AccessKey=k;Version=1.0;", "https://h", "k"),
            (
                "Endpoint=http://localhost:8080;AccessKey=a=b+/=;Version=1.0",
                "http://localhost:8080",
                "a=b+/=",
            ),
            ("endpoint=https://h/;ACCESSKEY=k", "https://h", "k"),
            ("AccessKey=k;Endpoint=h;Version=1.0;", "https://h", "k"),
            ("Endpoint=HTTP://h;Port=8080;AccessKey=k;Version=1.0;", "http://h:8080", "k"),
            ("Endpoint=http://[::1];Port=80;AccessKey=k", "http://[::1]:80", "k"),
            (" Endpoint = https://h ; AccessKey = k ;; Extra=1;", "https://h", "k"),
        ];
        for (text, endpoint, key) in cases {
            assert_eq!(parse(text), Ok((endpoint.to_owned(), key.to_owned())), "{text}");
        }
    }

    #[test]
    fn an_invalid_connection_string_says_what_is_wrong() {
        let cases = [
            ("", ConnectionStringError::Missing("Endpoint")),
            ("Endpoint=;AccessKey=k", ConnectionStringError::Missing("Endpoint")),
            ("Endpoint=https://h", ConnectionStringError::Missing("AccessKey")),
            ("Endpoint=https://h;AccessKey=", ConnectionStringError::Missing("AccessKey")),
            ("Endpoint", ConnectionStringError::Part),
            ("Endpoint=h;endpoint=h;AccessKey=k", ConnectionStringError::Repeated),
            ("Endpoint=ftp://h;AccessKey=k", ConnectionStringError::Endpoint),
            ("Endpoint=https://;AccessKey=k", ConnectionStringError::Endpoint),
            ("Endpoint=https://h/path;AccessKey=k", ConnectionStringError::Endpoint),
            ("Endpoint=https://h;AccessKey=k;Port=0", ConnectionStringError::Port),
            ("Endpoint=https://h;AccessKey=k;Port=65536", ConnectionStringError::Port),
            ("Endpoint=https://h:1;AccessKey=k;Port=2", ConnectionStringError::Port),
            ("Endpoint=https://h;AccessKey=k;Version=2.0", ConnectionStringError::Version),
        ];
        for (text, error) in cases {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_connection_string_printed_is_read_again() {
        let string = ConnectionString {
            endpoint: "http://localhost:8080".to_owned(),
            access_key: "0123456789abcdef".to_owned(),
        };
        let printed = string.to_string();
        assert_eq!(printed, "Endpoint=http://localhost:8080;AccessKey=0123456789abcdef;Version=1.0;");
        assert_eq!(ConnectionString::parse(&printed), Ok(string));
    }

    #[test]
    fn the_key_is_not_printed_by_accident() {
        let string = ConnectionString::parse("Endpoint=https://h;AccessKey=secret").unwrap();
        assert!(!format!("{string:?}").contains("secret"));
    }
}
