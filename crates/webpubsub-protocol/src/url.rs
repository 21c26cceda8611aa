//! A request's URL, cut up once and never normalised.

/// The parts of an absolute URL as they were written: what is routed, authorised and acted on is
/// one and the same string.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct RequestUrl<'a> {
    /// `http` or `https`.
    pub scheme: &'a str,
    /// Host, and port if one was written.
    pub host: &'a str,
    /// The path from its slash on, before percent-decoding; `*` where the service as a whole is meant.
    pub path: &'a str,
    /// What follows the question mark, before percent-decoding.
    pub query: Option<&'a str>,
}

impl<'a> RequestUrl<'a> {
    /// Cuts an absolute URL up; `None` if it is not one.
    #[must_use]
    pub fn split(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once(':')?;
        let rest = rest.strip_prefix("//")?;
        let (rest, _fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (before_query, query) = match rest.split_once('?') {
            Some((before, query)) => (before, Some(query)),
            None => (rest, None),
        };
        let (host, path) = match before_query.find(['/', '*']) {
            Some(slash) => before_query.split_at_checked(slash)?,
            None => (before_query, "/"),
        };
        Some(Self { scheme, host, path, query })
    }

    /// Path and query, as a request line has them.
    #[must_use]
    pub fn path_and_query(&self) -> String {
        match self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_kept_as_they_were_written() {
        let cases = [
            (
                "http://localhost:8080/api/hubs/h/:send?a=1&b=?",
                "localhost:8080",
                "/api/hubs/h/:send",
                Some("a=1&b=?"),
            ),
            ("https://Example.com/a/%2e%2e/b", "Example.com", "/a/%2e%2e/b", None),
            ("https://example.com", "example.com", "/", None),
            ("https://example.com?x", "example.com", "/", Some("x")),
            ("http://example.com:8080*", "example.com:8080", "*", None),
            ("https://example.com/p#f?g", "example.com", "/p", None),
        ];
        for (url, host, path, query) in cases {
            let split = RequestUrl::split(url).unwrap();
            assert_eq!((split.host, split.path, split.query), (host, path, query), "{url}");
        }
        assert_eq!(RequestUrl::split("/api"), None);
    }
}
