//! The URLs that a token opens: how the audience of a token is compared with the URL of a request.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::percent_decode_str;
use webpubsub_protocol::client::endpoint::{ClientEndpoint, EndpointForm};
use webpubsub_protocol::name::HubName;

use crate::error::AudienceError;

/// Hosts that a token's audience may name, each with a port where it is not the scheme's own.
#[derive(Debug, Clone, Copy)]
pub struct Hosts<'a> {
    /// The host that the request was sent to, as in its `Host` header.
    pub requested: &'a str,
    /// Hosts that the operator accepts besides: a reverse proxy's, a custom domain's.
    pub accepted: &'a [String],
}

/// The service as the signer of a token knows it: scheme and host of the audience that was validated.
///
/// The host is one of [`Hosts`] in lower case, with its port unless that is the scheme's own. So it is
/// one that whoever holds an access key chose, out of those that the operator accepts and the one that
/// the request was sent to. Displayed it is the beginning of a URL, such as `https://example.com`.
///
/// Source: docs/spec/rest.md#authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicOrigin {
    /// `http` or `https`, also where the audience has `ws` or `wss`.
    pub scheme: &'static str,
    /// Such as `example.com` or `localhost:8080`.
    pub host: String,
}

impl fmt::Display for PublicOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)
    }
}

/// What the audience of a client's token has to name: the client's URL.
///
/// The scheme may be any of http, https, ws and wss, whatever the request's. Hosts and paths are
/// compared without regard to case, the path after percent-decoding and with or without a slash at
/// its end. The query does not count, except that the legacy form of the URL names its hub there;
/// it opens that form only.
///
/// Source: docs/spec/client.md#client-tokens.
#[derive(Debug, Clone, Copy)]
pub struct ClientAudience<'a> {
    /// The hosts.
    pub hosts: Hosts<'a>,
    /// The hub.
    pub hub: &'a HubName,
    /// Which form of the client's URL was used.
    pub form: EndpointForm,
}

/// What the audience of a server's or an operator's token has to name: the request's URL, or, for the
/// REST API, one below it.
///
/// Scheme and host are as with [`ClientAudience`]. Under `/api/` the audience's path, as it stands or
/// percent-decoded once, is the request's or extends it after a `/` or `?`; one that is only the
/// beginning of the request's is refused. Under any other path it is the request's, byte for byte: a
/// token that reads a hub's deliveries does not change its settings. Queries do not count.
///
/// Source: docs/spec/rest.md#authentication.
#[derive(Debug, Clone, Copy)]
pub struct ServiceAudience<'a> {
    /// The hosts.
    pub hosts: Hosts<'a>,
    /// The request's raw path, before percent-decoding.
    pub path: &'a str,
}

impl<'a> ClientAudience<'a> {
    /// What a token has to name to open this endpoint.
    #[must_use]
    pub const fn of(endpoint: &'a ClientEndpoint, hosts: Hosts<'a>) -> Self {
        Self { hosts, hub: &endpoint.hub, form: endpoint.form }
    }

    /// The names of the claims that have the client's groups.
    ///
    /// Source: docs/spec/mqtt.md#endpoint.
    pub(crate) const fn group_claims(&self) -> &'static [&'static str] {
        match self.form {
            EndpointForm::Hubs | EndpointForm::Legacy => &["webpubsub.group"],
            EndpointForm::Mqtt => &["webpubsub.group", "group"],
        }
    }

    /// Where the service is by an audience that names this.
    pub(crate) fn named_by(&self, audience: &str) -> Result<PublicOrigin, AudienceError> {
        self.hosts.named_by(audience, &|url| self.has_path(url))
    }

    fn has_path(&self, url: &Url<'_>) -> bool {
        let path = decode(url.path);
        let path = path.strip_suffix('/').unwrap_or(&path);
        let names_hub = |text: &str| text.eq_ignore_ascii_case(self.hub.as_str());
        let opens = match self.form {
            EndpointForm::Hubs | EndpointForm::Legacy => "/client/hubs/",
            EndpointForm::Mqtt => "/clients/mqtt/hubs/",
        };
        if strip_prefix_ignoring_case(path, opens).is_some_and(names_hub) {
            return true;
        }
        match self.form {
            EndpointForm::Hubs | EndpointForm::Mqtt => false,
            EndpointForm::Legacy => {
                let hub = url.query.split('&').filter_map(|parameter| parameter.split_once('='));
                let mut hub = hub.filter(|(name, _)| name.eq_ignore_ascii_case("hub"));
                path.eq_ignore_ascii_case("/client")
                    && hub.next().is_some_and(|(_, value)| names_hub(&decode(value)))
                    && hub.next().is_none()
            }
        }
    }
}

impl ServiceAudience<'_> {
    /// Where the service is by an audience that names this.
    pub(crate) fn named_by(&self, audience: &str) -> Result<PublicOrigin, AudienceError> {
        self.hosts.named_by(audience, &|url| self.has_path(url))
    }

    fn has_path(&self, url: &Url<'_>) -> bool {
        if strip_prefix_ignoring_case(self.path, "/api/").is_none() {
            return url.path == self.path;
        }
        let requested = self.path.strip_suffix('/').unwrap_or(self.path);
        is_or_extends(url.path, requested) || is_or_extends(&decode(url.path), &decode(requested))
    }
}

impl Hosts<'_> {
    /// Where the service is by an audience that has one of these hosts and the right path.
    fn named_by(
        &self,
        audience: &str,
        has_path: &dyn Fn(&Url<'_>) -> bool,
    ) -> Result<PublicOrigin, AudienceError> {
        let url = Url::parse(audience).ok_or(AudienceError::Scheme)?;
        if !self.contain(&url) {
            Err(AudienceError::Host)
        } else if !has_path(&url) {
            Err(AudienceError::Path)
        } else {
            Ok(url.origin())
        }
    }

    fn contain(&self, url: &Url<'_>) -> bool {
        // A default port may be written out on one side only. Which of the two is the default
        // cannot be distinguished from a bare host, so there either is taken for none.
        let same = |host: &str| {
            host.eq_ignore_ascii_case(url.authority)
                || without_default_port(host).eq_ignore_ascii_case(url.host_without_default_port())
        };
        std::iter::once(self.requested).chain(self.accepted.iter().map(String::as_str)).any(same)
    }
}

fn without_default_port(host: &str) -> &str {
    host.strip_suffix(":443").or_else(|| host.strip_suffix(":80")).unwrap_or(host)
}

/// A URL in pieces, none of them decoded.
struct Url<'a> {
    scheme: &'static str,
    default_port: &'static str,
    authority: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> Url<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        let rest = rest.strip_prefix("//")?;
        let (scheme, default_port) = match () {
            () if scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("wss") => {
                ("https", ":443")
            }
            () if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("ws") => ("http", ":80"),
            () => return None,
        };
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let authority = rest.split_once('/').map_or(rest, |(authority, _)| authority);
        let path = rest.strip_prefix(authority)?;
        if authority.is_empty() || authority.contains('@') {
            return None;
        }
        Some(Self { scheme, default_port, authority, path, query })
    }

    fn origin(&self) -> PublicOrigin {
        PublicOrigin { scheme: self.scheme, host: self.host_without_default_port().to_ascii_lowercase() }
    }

    fn host_without_default_port(&self) -> &'a str {
        self.authority.strip_suffix(self.default_port).unwrap_or(self.authority)
    }
}

/// Decodes leniently: an audience that cannot be decoded is compared as it is.
fn decode(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8().unwrap_or(Cow::Borrowed(text))
}

fn is_or_extends(audience: &str, path: &str) -> bool {
    strip_prefix_ignoring_case(audience, path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, tail) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(form: EndpointForm, host: &str, audience: &str) -> bool {
        let hub = HubName::parse("chat").unwrap();
        let accepted = ["proxy.example".to_owned()];
        let hosts = Hosts { requested: host, accepted: &accepted };
        ClientAudience { hosts, hub: &hub, form }.named_by(audience).is_ok()
    }

    #[test]
    fn a_default_port_may_be_left_out_on_either_side() {
        let opens = |host, audience| client(EndpointForm::Hubs, host, audience);
        assert!(opens("h", "https://h:443/client/hubs/chat"));
        assert!(opens("h", "wss://h:443/client/hubs/chat"));
        assert!(opens("h", "http://h:80/client/hubs/chat"));
        assert!(opens("h:443", "https://h/client/hubs/chat"));
        assert!(opens("h:80", "http://h/client/hubs/chat"));
        assert!(opens("h:443", "http://h:443/client/hubs/chat"));
        assert!(!opens("h", "https://h:80/client/hubs/chat"));
        assert!(!opens("h", "http://h:443/client/hubs/chat"));
        assert!(!opens("h:8080", "http://h/client/hubs/chat"));
        assert!(!opens("h", "http://h:8080/client/hubs/chat"));
        assert!(!opens("h", "http://h:0443/client/hubs/chat"));
    }

    #[test]
    fn hosts_that_the_operator_accepts_are_as_good_as_the_requests() {
        assert!(client(EndpointForm::Hubs, "h", "https://PROXY.example/client/hubs/chat"));
        assert!(!client(EndpointForm::Hubs, "h", "https://other.example/client/hubs/chat"));
        assert!(!client(EndpointForm::Hubs, "h", "https://proxy.example.evil/client/hubs/chat"));
    }

    #[test]
    fn an_audience_says_where_its_signer_sees_the_service() {
        let accepted = ["public.example".to_owned(), "other.example:8443".to_owned()];
        let hosts = Hosts { requested: "inner:8080", accepted: &accepted };
        let hub = HubName::parse("chat").unwrap();
        for (base, expected) in [
            ("https://public.example", Some("https://public.example")),
            ("wss://PUBLIC.example", Some("https://public.example")),
            ("https://public.example:443", Some("https://public.example")),
            ("http://public.example:80", Some("http://public.example")),
            ("https://other.example:8443", Some("https://other.example:8443")),
            ("ws://inner:8080", Some("http://inner:8080")),
            ("https://inner:8080", Some("https://inner:8080")),
            ("https://inner", None),
            ("https://public.example:8443", None),
            ("https://public.example,evil.example", None),
            ("https://evil.example", None),
            ("https://public.example@evil.example", None),
        ] {
            let service = ServiceAudience { hosts, path: "/api/hubs/chat/:send" };
            let client = ClientAudience { hosts, hub: &hub, form: EndpointForm::Hubs };
            let expected = expected.map(str::to_owned);
            let named = service.named_by(&format!("{base}/api/hubs/chat/:send?x=https://evil.example"));
            assert_eq!(named.map(|origin| origin.to_string()).ok(), expected, "{base}");
            let named = client.named_by(&format!("{base}/client/hubs/chat"));
            assert_eq!(named.map(|origin| origin.to_string()).ok(), expected, "{base}");
        }
    }

    #[test]
    fn the_legacy_audience_opens_the_legacy_url_only() {
        let audience = "https://h/client/?hub=chat";
        assert!(client(EndpointForm::Legacy, "h", audience));
        assert!(!client(EndpointForm::Hubs, "h", audience));
        assert!(client(EndpointForm::Legacy, "h", "https://h/client/hubs/chat"));
    }

    #[test]
    fn a_token_for_one_kind_of_client_does_not_open_the_other() {
        let (mqtt, other) = ("https://h/clients/mqtt/hubs/Chat/", "https://h/client/hubs/chat");
        assert!(client(EndpointForm::Mqtt, "h", mqtt));
        assert!(!client(EndpointForm::Mqtt, "h", other));
        assert!(!client(EndpointForm::Mqtt, "h", "https://h/client?hub=chat"));
        assert!(!client(EndpointForm::Mqtt, "h", "https://h/clients/mqtt/hubs/other"));
        assert!(!client(EndpointForm::Hubs, "h", mqtt));
        assert!(!client(EndpointForm::Legacy, "h", mqtt));
    }

    #[test]
    fn what_is_wrong_with_an_audience_is_named() {
        let expected = ServiceAudience { hosts: Hosts { requested: "h", accepted: &[] }, path: "/api/a" };
        for (audience, error) in [
            ("no url", AudienceError::Scheme),
            ("ftp://h/api/a", AudienceError::Scheme),
            ("https://other/api/a", AudienceError::Host),
            ("https://h:1/api/a", AudienceError::Host),
            ("https://h/api", AudienceError::Path),
            ("https://h/api/ab", AudienceError::Path),
        ] {
            assert_eq!(expected.named_by(audience), Err(error), "{audience}");
        }
    }

    #[test]
    fn nothing_else_than_a_web_url_is_an_audience() {
        for audience in [
            "",
            "chat",
            "/client/hubs/chat",
            "//h/client/hubs/chat",
            "https:h/client/hubs/chat",
            "https:///client/hubs/chat",
            "https://user@h/client/hubs/chat",
            "https://h@evil/client/hubs/chat",
            "ftp://h/client/hubs/chat",
            " https://h/client/hubs/chat",
            "https://h /client/hubs/chat",
            "https://h\\client/hubs/chat",
        ] {
            assert!(!client(EndpointForm::Hubs, "h", audience), "{audience}");
        }
    }

    #[test]
    fn paths_are_compared_as_they_stand_or_decoded_never_crosswise() {
        let opens = |path, audience: &str| {
            let hosts = Hosts { requested: "h", accepted: &[] };
            ServiceAudience { hosts, path }.named_by(audience).is_ok()
        };
        assert!(opens("/api/a%20b", "https://h/api/a%20b"));
        assert!(opens("/api/a%20b", "https://h/api/a b"));
        assert!(opens("/api/%C3%A9", "https://h/api/é"));
        assert!(opens("/api/100%25", "https://h/api/100%"));
        assert!(!opens("/api/a%2520b", "https://h/api/a%20b"));
        assert!(!opens("/api/a%20b", "https://h/api/a%2520b"));
        assert!(!opens("/api/ab", "https://h/api/a"));
    }

    #[test]
    fn outside_the_rest_api_a_token_is_for_exactly_its_path() {
        let hosts = Hosts { requested: "h", accepted: &[] };
        let opens = |path, audience: &str| ServiceAudience { hosts, path }.named_by(audience).is_ok();
        let path = "/management/hubs/chat";
        for audience in [
            "http://h/management/hubs/chat",
            "wss://H:443/management/hubs/chat",
            "https://h/management/hubs/chat?/deliveries",
            "https://h/management/hubs/chat#/deliveries",
        ] {
            assert!(opens(path, audience), "{audience}");
        }
        for audience in [
            "https://h/management/hubs/chat/deliveries",
            "https://h/management/hubs/chat/",
            "https://h/management/hubs/chat/x",
            "https://h/management/hubs/chat%2Fdeliveries",
            "https://h/management/hubs/chat%3F",
            "https://h/management/hubs/ch%61t",
            "https://h/management/hubs/ch%2561t",
            "https://h/management/hubs/Chat",
            "https://h/MANAGEMENT/hubs/chat",
            "https://h/management/hubs//chat",
            "https://h/management/hubs/./chat",
            "https://h/management/hubs/chatter",
            "https://h/management/hubs/cha",
            "https://h/management/hubs/",
            "https://h/management/hubs",
            "https://h/management",
            "https://h/",
            "https://h",
            "https://h/api/hubs/chat",
            "https://other/management/hubs/chat",
            "ftp://h/management/hubs/chat",
        ] {
            assert!(!opens(path, audience), "{audience}");
        }
        assert!(opens("/management/hubs/a%60b", "https://h/management/hubs/a%60b"));
        assert!(!opens("/management/hubs/chat/", "https://h/management/hubs/chat"));
        assert!(!opens("/management/hubs/chat/deliveries", "https://h/management/hubs/chat%2Fdeliveries"));
        assert!(!opens("/api", "https://h/api/hubs"));
    }
}
