//! Where an event handler is.

use std::fmt;
use std::net::IpAddr;

use crate::encoding::escape;
use crate::limits::MAX_URL_TEMPLATE_BYTES;
use crate::name::HubName;
use crate::url::RequestUrl;

/// The URL of an event handler, with the placeholders `{hub}` and `{event}` anywhere but in its host.
///
/// Its host is written plainly: a DNS name, an IPv4 address of four decimal numbers, or an IPv6
/// address in brackets. So there is one way to read it, and [`is_public`] judges the host that is
/// called.
#[derive(Clone, PartialEq, Eq)]
pub struct UrlTemplate(String);

/// Why a text is no URL template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlTemplateError {
    /// It is not absolute, not http or https, has user information, a fragment, or characters that
    /// no URL has.
    Malformed,
    /// It is too long.
    TooLong,
    /// It is one of Azure's local tunnel.
    Tunnel,
    /// It names a secret in Azure's key vault.
    KeyVault,
    /// There are braces around something else than `hub` or `event`, or in the host.
    Placeholder,
    /// The host is not in plain notation.
    Host,
    /// The port is none.
    Port,
}

impl UrlTemplateError {
    /// What the template should be.
    #[must_use]
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Malformed => {
                "an absolute http or https URL of printable ASCII, without user information, backslash or fragment"
            }
            Self::TooLong => "at most 2048 bytes",
            Self::Tunnel => {
                "an http or https URL: there is no tunnel, and the service calls local handlers itself"
            }
            Self::KeyVault => {
                "written out: there is no key vault, but `auth` can name a secret of the worker"
            }
            Self::Placeholder => "without braces but for {hub} and {event}, which are not in the host",
            Self::Host => {
                "a URL whose host is a DNS name, an IPv4 address of four decimal numbers, or an IPv6 address in brackets"
            }
            Self::Port => "a URL whose port, if it has one, is a number from 1 to 65535",
        }
    }
}

impl fmt::Display for UrlTemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected())
    }
}

impl std::error::Error for UrlTemplateError {}

impl UrlTemplate {
    /// Checks a template.
    ///
    /// # Errors
    /// [`UrlTemplateError`] for what is no absolute http or https URL with a host in plain notation.
    ///
    /// Source: docs/spec/cloudevents.md#url-templates.
    pub fn parse(text: &str) -> Result<Self, UrlTemplateError> {
        if text.len() > MAX_URL_TEMPLATE_BYTES {
            return Err(UrlTemplateError::TooLong);
        }
        read(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The template's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What may be shown and logged: the query, in which there may be a secret, is left out.
    #[must_use]
    pub fn without_query(&self) -> &str {
        self.0.split('?').next().unwrap_or_default()
    }

    /// The URL for an event of a hub.
    #[must_use]
    pub fn resolve(&self, hub: &HubName, event: &str) -> String {
        let value = |name: &str| {
            let value = if name.eq_ignore_ascii_case("hub") { hub.as_str() } else { event };
            format!("{}", escape(value))
        };
        replace(&self.0, value).unwrap_or_default()
    }

    /// Whether what it resolves to [`is_public`].
    #[must_use]
    pub fn is_public(&self) -> bool {
        is_public(&self.0)
    }
}

/// Leaves the query out.
impl fmt::Debug for UrlTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.without_query(), f)
    }
}

/// Whether a URL is https to a host that may be public: no private, loopback, link-local or other
/// special address, no name that stands for one, and nothing that is no [`UrlTemplate`].
#[must_use]
pub fn is_public(url: &str) -> bool {
    read(url).is_ok_and(|(url, host)| is_scheme(&url, "https") && host.is_public())
}

/// Whether an address may be public: what a name resolves to is judged like an address in a URL.
#[must_use]
pub const fn is_public_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address.octets()),
        IpAddr::V6(address) => is_public_v6(address.segments()),
    }
}

/// Reads a template of any length.
fn read(text: &str) -> Result<(RequestUrl<'_>, Host<'_>), UrlTemplateError> {
    if has_prefix(text, "tunnel:") {
        return Err(UrlTemplateError::Tunnel);
    }
    if text.split('{').skip(1).any(|piece| piece.starts_with('@')) {
        return Err(UrlTemplateError::KeyVault);
    }
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#');
    let url = RequestUrl::split(text).filter(|_| text.bytes().all(is_plain));
    let url = url.filter(|url| is_scheme(url, "http") || is_scheme(url, "https"));
    let url = url.filter(|url| !url.host.contains('@')).ok_or(UrlTemplateError::Malformed)?;
    if url.host.contains(['{', '}']) || replace(text, |_| String::new()).is_none() {
        return Err(UrlTemplateError::Placeholder);
    }
    let (host, port) = host_and_port(url.host);
    let host = Host::parse(host).ok_or(UrlTemplateError::Host)?;
    let is_port = |port: &str| !port.starts_with('+') && port.parse::<u16>().is_ok_and(|port| port > 0);
    if port.is_some_and(|port| !is_port(port)) {
        return Err(UrlTemplateError::Port);
    }
    Ok((url, host))
}

/// Puts a value in the place of every placeholder; `None` where there is a brace beside them.
fn replace(text: &str, value: impl Fn(&str) -> String) -> Option<String> {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(['{', '}']) {
        let (name, after) = after.split_once('}')?;
        let is_placeholder = name.eq_ignore_ascii_case("hub") || name.eq_ignore_ascii_case("event");
        if !is_placeholder || !rest.get(before.len()..)?.starts_with('{') {
            return None;
        }
        replaced.push_str(before);
        replaced.push_str(&value(name));
        rest = after;
    }
    replaced.push_str(rest);
    Some(replaced)
}

fn has_prefix(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn is_scheme(url: &RequestUrl<'_>, scheme: &str) -> bool {
    url.scheme.eq_ignore_ascii_case(scheme)
}

/// Cuts the port off.
pub(super) fn host_and_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        Some(_) | None => (host, None),
    }
}

/// A host in plain notation.
#[derive(Clone, Copy)]
enum Host<'a> {
    Name(&'a str),
    V4([u8; 4]),
    V6([u16; 8]),
}

impl<'a> Host<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        if let Some(address) = text.strip_prefix('[') {
            return ipv6(address.strip_suffix(']')?).map(Self::V6);
        }
        if let Some(address) = ipv4(text) {
            return Some(Self::V4(address));
        }
        // What ends in a number, decimal or hexadecimal, would be read as an IPv4 address.
        let last = text.rsplit('.').next()?;
        let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || has_prefix(last, "0x");
        (!is_number && is_name(text)).then_some(Self::Name(text))
    }

    fn is_public(self) -> bool {
        match self {
            Self::Name(name) => {
                let is_in = |zone: &&str| {
                    let cut = name.len().checked_sub(zone.len()).and_then(|cut| name.split_at_checked(cut));
                    let is_whole = |before: &str| before.is_empty() || before.ends_with('.');
                    cut.is_some_and(|(before, end)| is_whole(before) && end.eq_ignore_ascii_case(zone))
                };
                name.contains('.') && !PRIVATE_ZONES.iter().any(is_in)
            }
            Self::V4(address) => is_public_v4(address),
            Self::V6(address) => is_public_v6(address),
        }
    }
}

/// Zones of names that are not the public DNS's.
///
/// Source: docs/spec/cloudevents.md#public-hosts.
const PRIVATE_ZONES: [&str; 18] = [
    "test",
    "localhost",
    "invalid",
    "example",
    "local",
    "onion",
    "alt",
    "home.arpa",
    "ipv4only.arpa",
    "resolver.arpa",
    "service.arpa",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "localdomain",
];

/// Source: docs/spec/cloudevents.md#public-hosts; 168.63.129.16 is Azure's platform.
const fn is_public_v4(address: [u8; 4]) -> bool {
    !matches!(
        address,
        // This network, private, shared by providers, the host itself, and its link.
        [0 | 10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] | [169, 254, ..]
            // Protocols, documentation, relays and benchmarks.
            | [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [192, 88, 99, _] | [198, 18 | 19, ..]
            // Multicast, and what is reserved.
            | [224..=255, ..] | [168, 63, 129, 16]
    )
}

/// Source: docs/spec/cloudevents.md#public-hosts.
const fn is_public_v6(address: [u16; 8]) -> bool {
    match address {
        // Addresses that stand for one of IPv4: mapped, translated (NAT64), and 6to4.
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            is_public_v4([a, b, c, d])
        }
        // Protocols, and documentation twice.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}

/// Labels of letters, digits, `-` and `_` with dots between.
fn is_name(text: &str) -> bool {
    // Punycode that ends so stands for the plain letters and digits before.
    let is_disguised = |label: &str| has_prefix(label, "xn--") && label.ends_with('-');
    let is_label = |label: &str| {
        matches!(label.len(), 1..=63)
            && !is_disguised(label)
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// Four numbers from 0 to 255 without a zero before them.
fn ipv4(text: &str) -> Option<[u8; 4]> {
    let mut address = [0; 4];
    let mut parts = text.split('.');
    for byte in &mut address {
        let part = parts.next()?;
        let is_plain = part.len() == 1 || !part.starts_with(['0', '+']);
        *byte = part.parse().ok().filter(|_| is_plain)?;
    }
    parts.next().is_none().then_some(address)
}

/// Eight groups of up to four hexadecimal digits, of which `::` stands for any number that are 0, and
/// the last two may be an IPv4 address.
fn ipv6(text: &str) -> Option<[u16; 8]> {
    let mut address = Vec::new();
    match text.as_bytes().windows(2).position(|pair| pair == b"::") {
        None => groups(text, &mut address)?,
        Some(at) => {
            let mut tail = Vec::new();
            groups(text.get(..at)?, &mut address)?;
            groups(text.get(at + 2..)?, &mut tail)?;
            let zeros = 8_usize.checked_sub(address.len() + tail.len()).filter(|zeros| *zeros > 0)?;
            address.extend(std::iter::repeat_n(0, zeros));
            address.append(&mut tail);
        }
    }
    address.try_into().ok()
}

/// Reads groups with colons between.
fn groups(text: &str, address: &mut Vec<u16>) -> Option<()> {
    if text.is_empty() {
        return Some(());
    }
    let mut parts = text.split(':').peekable();
    while let Some(part) = parts.next() {
        if let (Some([a, b, c, d]), None) = (ipv4(part), parts.peek()) {
            address.extend([u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]);
        } else {
            let is_plain = part.len() <= 4 && !part.starts_with('+');
            address.push(u16::from_str_radix(part, 16).ok().filter(|_| is_plain)?);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests;
