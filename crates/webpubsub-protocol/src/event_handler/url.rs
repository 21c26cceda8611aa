//! Where an event handler is.

use std::fmt;

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
    /// Source: `CloudEvents` spec, section 1.
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
            escape(value).to_string()
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

/// Reads a template of any length.
fn read(text: &str) -> Result<(RequestUrl<'_>, Host<'_>), UrlTemplateError> {
    if has_prefix(text, "tunnel:") {
        return Err(UrlTemplateError::Tunnel);
    }
    if text.split('{').skip(1).any(|rest| rest.starts_with('@')) {
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
    V4(u32),
    V6(u128),
}

impl<'a> Host<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        if let Some(address) = text.strip_prefix('[') {
            return ipv6(address.strip_suffix(']')?).map(Self::V6);
        }
        let last = text.rsplit('.').next()?;
        // What ends in a number, decimal or hexadecimal, is read as an IPv4 address.
        if last.starts_with(|c: char| c.is_ascii_digit()) {
            return ipv4(text).map(Self::V4).or_else(|| {
                let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || has_prefix(last, "0x");
                (!is_number && is_name(text)).then_some(Self::Name(text))
            });
        }
        is_name(text).then_some(Self::Name(text))
    }

    fn is_public(self) -> bool {
        match self {
            Self::Name(name) => {
                let is_in = |zone: &&str| {
                    let cut = name.len().checked_sub(zone.len()).and_then(|cut| name.split_at_checked(cut));
                    cut.is_some_and(|(before, end)| before.ends_with('.') && end.eq_ignore_ascii_case(zone))
                };
                name.contains('.') && !PRIVATE_ZONES.iter().any(is_in)
            }
            Self::V4(address) => SPECIAL_V4.iter().all(|(range, bits)| (address ^ range) >> (32 - bits) != 0),
            Self::V6(address) => {
                // Ranges that stand for IPv4 addresses, and how far from the right those begin.
                for (range, bits, shift) in
                    [(0xffff << 32, 96, 0), (0x64_ff9b << 96, 96, 0), (0x2002 << 112, 16, 80)]
                {
                    if (address ^ range) >> (128 - bits) == 0 {
                        return Self::V4((address >> shift) as u32).is_public();
                    }
                }
                address >> 125 == 1
                    && SPECIAL_V6
                        .iter()
                        .all(|(range, bits)| ((address >> 96) as u32 ^ range) >> (32 - bits) != 0)
            }
        }
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

/// Zones of names that are not the public DNS's.
///
/// Source: RFC 6761, 6762, 7686 and 8375, and ICANN's `internal`; `lan` and `localdomain` are what
/// routers and operating systems use.
const PRIVATE_ZONES: [&str; 10] = [
    "localhost",
    "local",
    "internal",
    "localdomain",
    "lan",
    "home.arpa",
    "test",
    "invalid",
    "example",
    "onion",
];

/// Ranges of IPv4 that are no public host's: first address and length of the prefix.
///
/// Source: IANA's registry of special-purpose addresses, and multicast; 168.63.129.16 is Azure's
/// platform.
const SPECIAL_V4: [(u32, u32); 17] = [
    (0x0000_0000, 8),
    (0x0a00_0000, 8),
    (0x6440_0000, 10),
    (0x7f00_0000, 8),
    (0xa9fe_0000, 16),
    (0xac10_0000, 12),
    (0xc000_0000, 24),
    (0xc000_0200, 24),
    (0xc058_6300, 24),
    (0xc0a8_0000, 16),
    (0xc612_0000, 15),
    (0xc633_6400, 24),
    (0xcb00_7100, 24),
    (0xe000_0000, 4),
    (0xf000_0000, 4),
    (0xa83f_8110, 32),
    (0xc034_c100, 24),
];

/// Ranges within IPv6's global unicast that are no public host's, by their first 32 bits: what is
/// given to protocols, documentation, and documentation again.
///
/// Source: IANA's registry of special-purpose addresses.
const SPECIAL_V6: [(u32, u32); 3] = [(0x2001_0000, 23), (0x2001_0db8, 32), (0x3fff_0000, 20)];

/// Four numbers from 0 to 255 without a zero before them.
fn ipv4(text: &str) -> Option<u32> {
    let mut address = 0;
    let mut count = 0;
    for part in text.split('.') {
        let is_plain =
            part.bytes().all(|byte| byte.is_ascii_digit()) && (part.len() == 1 || !part.starts_with('0'));
        let number: u8 = part.parse().ok().filter(|_| is_plain)?;
        address = address << 8 | u32::from(number);
        count += 1;
    }
    (count == 4).then_some(address)
}

/// Eight groups of up to four hexadecimal digits, of which `::` stands for any number that are 0, and
/// the last two may be an IPv4 address.
fn ipv6(text: &str) -> Option<u128> {
    let gap = text.as_bytes().windows(2).position(|pair| pair == b"::");
    let (head, tail) = gap.map_or((text, None), |gap| (text.get(..gap).unwrap_or(text), text.get(gap + 2..)));
    let (head, head_groups) = groups(head)?;
    let Some(tail) = tail else { return (head_groups == 8).then_some(head) };
    let (tail, tail_groups) = groups(tail)?;
    if head_groups + tail_groups > 7 {
        return None;
    }
    Some(head.checked_shl(16 * (8 - head_groups)).unwrap_or(0) | tail)
}

/// Groups with colons between, and how many they are.
fn groups(text: &str) -> Option<(u128, u32)> {
    let mut address = 0;
    let mut count = 0;
    if text.is_empty() {
        return Some((0, 0));
    }
    let mut parts = text.split(':').peekable();
    while let Some(part) = parts.next() {
        if part.contains('.') && parts.peek().is_none() {
            address = address << 32 | u128::from(ipv4(part)?);
            count += 2;
        } else {
            let is_plain = matches!(part.len(), 1..=4) && part.bytes().all(|byte| byte.is_ascii_hexdigit());
            let group = u16::from_str_radix(part, 16).ok().filter(|_| is_plain)?;
            address = address << 16 | u128::from(group);
            count += 1;
        }
        if count > 8 {
            return None;
        }
    }
    Some((address, count))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    fn resolved(template: &str, hub: &str, event: &str) -> String {
        UrlTemplate::parse(template).unwrap().resolve(&HubName::parse(hub).unwrap(), event)
    }

    #[test]
    fn placeholders_are_filled_wherever_they_stand() {
        let template = "http://localhost:3000/{hub}/{EVENT}?h={Hub}&e={event}{event}";
        assert_eq!(
            resolved(template, "a[`,.]", "my-Event_1."),
            "http://localhost:3000/a%5B%60%2C.%5D/my-Event_1.?h=a%5B%60%2C.%5D&e=my-Event_1.my-Event_1."
        );
        assert_eq!(resolved("https://x.com", "h", "e"), "https://x.com");
    }

    #[test]
    fn what_may_be_shown_of_a_template_has_no_query() {
        assert_eq!(
            UrlTemplate::parse("http://h/{event}?code=secret").unwrap().without_query(),
            "http://h/{event}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn addresses_are_those_that_the_standard_library_reads(
            four in "[0-9]{1,3}(\\.[0-9]{0,3}){2,4}",
            six in "([0-9a-fA-F]{0,5}:){0,8}[0-9a-f]{0,4}(:[0-9]{1,3}(\\.[0-9]{1,3}){3})?",
            double in "([0-9a-f]{1,4}:){0,6}:([0-9a-f]{1,4}:){0,6}[0-9a-f.]{0,8}",
        ) {
            prop_assert_eq!(ipv4(&four), four.parse().ok().map(Ipv4Addr::to_bits));
            for six in [six, double] {
                prop_assert_eq!(ipv6(&six), six.parse().ok().map(Ipv6Addr::to_bits), "{}", six);
            }
        }

        #[test]
        fn every_address_is_read_as_it_is_written(four: Ipv4Addr, six: Ipv6Addr) {
            prop_assert_eq!(ipv4(&four.to_string()), Some(four.to_bits()));
            prop_assert_eq!(ipv6(&six.to_string()), Some(six.to_bits()));
            // An address is judged the same way however it is embedded.
            let is_public = |host: &str| is_public(&format!("https://{host}/"));
            let [high, low] = [four.to_bits() >> 16, four.to_bits() & 0xffff];
            prop_assert_eq!(is_public(&four.to_string()), is_public(&format!("[::ffff:{four}]")));
            prop_assert_eq!(is_public(&four.to_string()), is_public(&format!("[64:ff9b::{four}]")));
            prop_assert_eq!(is_public(&four.to_string()), is_public(&format!("[2002:{high:x}:{low:x}::1]")));
            let is_special = four.is_private() || four.is_loopback() || four.is_link_local() || four.is_multicast()
                || four.is_documentation() || four.is_broadcast() || four.is_unspecified();
            prop_assert!(!is_special || !is_public(&four.to_string()));
        }
    }
}
