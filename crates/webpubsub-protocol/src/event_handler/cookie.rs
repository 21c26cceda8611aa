//! Cookies of a handler, kept for one connection.
//!
//! Source: docs/spec/cloudevents.md#requests; RFC 6265. `Domain` is not looked at: a cookie goes back to
//! the host that set it, and to no other.

use std::time::Duration;

use crate::time::Timestamp;
use crate::url::RequestUrl;

use super::url::host_and_port;

/// Most cookies of a connection; past that, the oldest is forgotten.
const MAX_COOKIES: usize = 20;

/// Most bytes of a connection's cookies, with what is known about them.
const MAX_BYTES: usize = 8 * 1024;

/// What handlers have set, to be sent again with every event of a connection.
///
/// A line a cookie, its parts between tabs, of which no part has any: when it expires, `s` if it is
/// for https only, its host, its path, and `name=value`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cookies(String);

/// One line.
#[derive(Clone, Copy)]
struct Cookie<'a> {
    expires: u64,
    is_secure: bool,
    host: &'a str,
    path: &'a str,
    pair: &'a str,
}

impl<'a> Cookie<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut parts = line.split('\t');
        let mut next = || parts.next();
        Some(Self {
            expires: next()?.parse().ok()?,
            is_secure: next()? == "s",
            host: next()?,
            path: next()?,
            pair: next()?,
        })
    }

    fn name(&self) -> &'a str {
        self.pair.split_once('=').map_or("", |(name, _)| name)
    }

    fn is_for(&self, url: &RequestUrl<'_>) -> bool {
        let rest = url.path.strip_prefix(self.path);
        host_and_port(url.host).0.eq_ignore_ascii_case(self.host)
            && (!self.is_secure || url.scheme.eq_ignore_ascii_case("https"))
            && rest.is_some_and(|rest| self.path.ends_with('/') || rest.is_empty() || rest.starts_with('/'))
    }
}

impl Cookies {
    /// Takes the `Set-Cookie` headers of an answer from `url`. Returns whether anything changed.
    pub fn take(&mut self, now: Timestamp, url: &str, set: &[String]) -> bool {
        let Some(url) = RequestUrl::split(url) else { return false };
        let before = self.0.clone();
        for header in set {
            self.set(now, &url, header);
        }
        self.0 != before
    }

    fn set(&mut self, now: Timestamp, url: &RequestUrl<'_>, header: &str) {
        let mut parts = header.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { return };
        let (name, value) = (name.trim_end(), value.trim_start());
        let end = url.path.rfind('/').filter(|end| *end > 0);
        let mut path = end.and_then(|end| url.path.get(..end)).unwrap_or("/");
        let mut is_secure = "";
        let (mut expires, mut lasts) = (None, None);
        for attribute in parts {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            let value = value.trim();
            let is = |known: &str| name.trim().eq_ignore_ascii_case(known);
            if is("path") {
                path = if value.starts_with('/') { value } else { path };
            } else if is("secure") {
                is_secure = "s";
            } else if is("max-age") {
                lasts = max_age(value).or(lasts);
            } else if is("expires") {
                expires = Timestamp::from_http_date(value).or(expires);
            }
        }
        if name.is_empty() || [name, value, path].iter().any(|part| part.contains(char::is_control)) {
            return;
        }
        let expires = match lasts {
            Some(seconds) => now.after(Duration::from_secs(seconds)),
            None => expires.unwrap_or(Timestamp::from_millis(u64::MAX)),
        };
        let host = host_and_port(url.host).0.to_ascii_lowercase();
        let (expires_at, pair) = (expires.as_millis().to_string(), [name, "=", value].concat());
        let line = [&*expires_at, is_secure, &host, path, &pair].join("\t") + "\n";
        let is_kept = |known: Cookie<'_>| {
            now.as_millis() < known.expires
                && (known.name() != name || known.path != path || known.host != host)
        };
        let known = self.0.split_inclusive('\n');
        let mut kept: String =
            known.filter(|line| Cookie::read(line.trim_end()).is_some_and(is_kept)).collect();
        if now < expires && line.len() <= MAX_BYTES {
            kept.push_str(&line);
        }
        while kept.len() > MAX_BYTES || kept.split('\n').count() > MAX_COOKIES + 1 {
            kept = kept.split_once('\n').map_or_else(String::new, |(_, rest)| rest.to_owned());
        }
        self.0 = kept;
    }

    /// The `Cookie` header for a request to `url`; `None` where no cookie goes there.
    #[must_use]
    pub fn header(&self, now: Timestamp, url: &str) -> Option<String> {
        let url = RequestUrl::split(url)?;
        let mut header = String::new();
        for cookie in self.0.lines().filter_map(Cookie::read) {
            if now.as_millis() < cookie.expires && cookie.is_for(&url) {
                if !header.is_empty() {
                    header.push_str("; ");
                }
                header.push_str(cookie.pair);
            }
        }
        (!header.is_empty()).then_some(header)
    }

    /// Writes them as one text, empty where there are none.
    #[must_use]
    pub fn encode(&self) -> String {
        self.0.clone()
    }

    /// Reads what [`Cookies::encode`] wrote; anything else is no cookies.
    #[must_use]
    pub fn decode(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Seconds; those before now are 0.
fn max_age(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || digits.contains(|character: char| !character.is_ascii_digit()) {
        return None;
    }
    Some(if digits.len() < text.len() { 0 } else { digits.parse().unwrap_or(u64::MAX) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://example.com/api/eventhandler?code=1";

    fn set(cookies: &mut Cookies, now: u64, headers: &[&str]) -> bool {
        let headers: Vec<String> = headers.iter().map(|header| (*header).to_owned()).collect();
        cookies.take(Timestamp::from_millis(now), URL, &headers)
    }

    fn sent(headers: &[&str], url: &str) -> Option<String> {
        let mut cookies = Cookies::default();
        set(&mut cookies, 0, headers);
        assert_eq!(Cookies::decode(&cookies.encode()), cookies);
        cookies.header(Timestamp::from_millis(1), url)
    }

    #[test]
    fn cookies_go_back_where_they_came_from() {
        let cases: [(&[&str], &str, Option<&str>); 19] = [
            (&["a=1"], URL, Some("a=1")),
            (&["a=1", "b=2; HttpOnly; SameSite=Lax"], URL, Some("a=1; b=2")),
            (&[" a = 1=2 ; x"], URL, Some("a=1=2")),
            (&["a="], URL, Some("a=")),
            (&["a=1"], "http://EXAMPLE.com:8080/api", Some("a=1")),
            (&["a=1"], "https://example.com/apis/eventhandler", None),
            (&["a=1"], "https://example.com/", None),
            (&["a=1"], "https://www.example.com/api/eventhandler", None),
            (&["a=1; Domain=.com"], "https://other.com/api/eventhandler", None),
            (&["a=1; Path=/"], "https://example.com", Some("a=1")),
            (&["a=1; Path=/api/"], "https://example.com/api", None),
            (&["a=1; path=relative"], "https://example.com/api", Some("a=1")),
            (&["a=1; Secure"], URL, Some("a=1")),
            (&["a=1; secure"], "http://example.com/api/eventhandler", None),
            (&["=1", "a", "", "a\tb=1", "a=1\r\nx: y", "a=1; Path=/\u{7f}"], URL, None),
            (&["a=1; Max-Age=x; Expires=x"], URL, Some("a=1")),
            (&["a=1; Max-Age=0"], URL, None),
            (&["a=1; Max-Age=99999999999999999999999"], URL, Some("a=1")),
            (&["a=1; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], URL, Some("a=1")),
        ];
        for (headers, url, expected) in cases {
            assert_eq!(sent(headers, url).as_deref(), expected, "{headers:?} {url}");
        }
    }

    #[test]
    fn a_cookie_is_replaced_removed_and_forgotten_in_time() {
        let mut cookies = Cookies::default();
        let header = |cookies: &Cookies, now| cookies.header(Timestamp::from_millis(now), URL);
        assert!(set(&mut cookies, 0, &["a=1; Max-Age=2", "b=1", "a=2; Path=/"]));
        assert_eq!(header(&cookies, 1999).as_deref(), Some("a=1; b=1; a=2"));
        assert_eq!(header(&cookies, 2000).as_deref(), Some("b=1; a=2"));
        assert!(set(&mut cookies, 1000, &["a=3"]));
        assert_eq!(header(&cookies, 2000).as_deref(), Some("b=1; a=2; a=3"));
        assert!(set(
            &mut cookies,
            1000,
            &["b=; Max-Age=-1", "a=; path=/; Expires=Thu, 01-Jan-70 00:00:10 GMT"]
        ));
        assert_eq!(header(&cookies, 9999).as_deref(), Some("a=3; a="));
        assert_eq!(header(&cookies, 10_000).as_deref(), Some("a=3"));
        assert!(!set(&mut cookies, 20_000, &[]));
    }

    #[test]
    fn the_oldest_cookies_make_room_for_others() {
        let mut cookies = Cookies::default();
        for number in 0..30 {
            assert!(set(&mut cookies, 0, &[&format!("c{number}=1")]));
        }
        let header = cookies.header(Timestamp::from_millis(0), URL).unwrap();
        assert!(header.starts_with("c10=1; c11=1") && header.ends_with("c29=1"), "{header}");
        assert!(set(&mut cookies, 0, &[&format!("large={}", "x".repeat(8100))]));
        assert!(cookies.header(Timestamp::from_millis(0), URL).unwrap().starts_with("c29=1; large=x"));
        assert!(!set(&mut cookies, 0, &[&format!("larger={}", "x".repeat(8200))]));
    }

    #[test]
    fn what_was_never_written_is_no_cookies() {
        for text in ["x", "a=1", "1\ts\texample.com", "\t\t\t\t\n\n", "-1\t\texample.com\t/\ta=1"] {
            assert_eq!(Cookies::decode(text).header(Timestamp::from_millis(0), URL), None, "{text:?}");
        }
    }
}
