use webpubsub_protocol::client::endpoint::EndpointForm;
use webpubsub_protocol::name::HubName;

/// Hosts that a token's audience may name, each with its port where it is not the scheme's own.
#[derive(Debug, Clone, Copy)]
pub struct Hosts<'a> {
    /// The host that the request was sent to.
    pub requested: &'a str,
    /// Hosts that the operator accepts besides: a proxy's, a custom domain.
    pub accepted: &'a [String],
}

/// What the audience of a client's token has to name.
#[derive(Debug, Clone, Copy)]
pub struct ClientAudience<'a> {
    /// The hosts.
    pub hosts: Hosts<'a>,
    /// The hub.
    pub hub: &'a HubName,
    /// Which form of the client's URL was used.
    pub form: EndpointForm,
}

/// What the audience of a server's token has to name.
#[derive(Debug, Clone, Copy)]
pub struct ServiceAudience<'a> {
    /// The hosts.
    pub hosts: Hosts<'a>,
    /// The request's raw path, before percent-decoding.
    pub path: &'a str,
}

impl ClientAudience<'_> {
    pub(crate) fn is_named_by(&self, _audience: &str) -> bool {
        false
    }
}

impl ServiceAudience<'_> {
    pub(crate) fn is_named_by(&self, _audience: &str) -> bool {
        false
    }
}
