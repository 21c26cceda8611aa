//! The subprotocols, and which of those that are offered is taken.

use std::fmt;

use super::Encoding;

/// How frames carry messages on one connection.
///
/// Source: docs/spec/client.md#subprotocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subprotocol {
    /// No subprotocol, or one that is not ours: raw payloads, no envelopes.
    Simple,
    /// `json.webpubsub.azure.v1`.
    Json,
    /// `json.reliable.webpubsub.azure.v1`: sequence ids and recovery.
    JsonReliable,
    /// `protobuf.webpubsub.azure.v1`.
    Protobuf,
    /// `protobuf.reliable.webpubsub.azure.v1`: sequence ids and recovery.
    ProtobufReliable,
    /// `mqtt`, of either version: chosen by the path of the request, and never from an offer.
    Mqtt,
}

/// A subprotocol chosen from a client's offer, in the client's own spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated<'a> {
    /// Which one.
    pub subprotocol: Subprotocol,
    /// What `Sec-WebSocket-Protocol` answers; `None` leaves the header out.
    pub answer: Option<&'a str>,
}

impl Subprotocol {
    const NAMED: [Self; 4] = [Self::Json, Self::JsonReliable, Self::Protobuf, Self::ProtobufReliable];

    /// The name in `Sec-WebSocket-Protocol`; `None` for simple clients.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Simple => None,
            Self::Json => Some("json.webpubsub.azure.v1"),
            Self::JsonReliable => Some("json.reliable.webpubsub.azure.v1"),
            Self::Protobuf => Some("protobuf.webpubsub.azure.v1"),
            Self::ProtobufReliable => Some("protobuf.reliable.webpubsub.azure.v1"),
            Self::Mqtt => Some("mqtt"),
        }
    }

    /// How messages are written; `None` for simple clients, which have none, and for MQTT, whose packets they
    /// are not.
    #[must_use]
    pub const fn encoding(self) -> Option<Encoding> {
        match self {
            Self::Simple | Self::Mqtt => None,
            Self::Json | Self::JsonReliable => Some(Encoding::Json),
            Self::Protobuf | Self::ProtobufReliable => Some(Encoding::Protobuf),
        }
    }

    /// Whether data messages carry sequence ids and the connection can be recovered.
    #[must_use]
    pub const fn is_reliable(self) -> bool {
        match self {
            Self::Simple | Self::Json | Self::Protobuf | Self::Mqtt => false,
            Self::JsonReliable | Self::ProtobufReliable => true,
        }
    }

    /// What a record means that has the [name](Subprotocol::name) of a subprotocol.
    #[must_use]
    pub fn of_record(name: Option<&str>) -> Self {
        match name {
            Some("mqtt") => Self::Mqtt,
            _ => Self::negotiate(name).subprotocol,
        }
    }

    /// The names in the value of a request's `Sec-WebSocket-Protocol`, in the client's order.
    pub fn offered(offer: Option<&str>) -> impl Iterator<Item = &str> {
        offer.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty())
    }

    /// Chooses from the value of a request's `Sec-WebSocket-Protocol`: the first name of ours in
    /// the client's order, matched without regard to case and answered in its spelling. Where none
    /// is ours, the connection is accepted as a simple client and the answer has no such header.
    ///
    /// Source: docs/spec/client.md#subprotocols.
    #[must_use]
    pub fn negotiate(offer: Option<&str>) -> Negotiated<'_> {
        Self::offered(offer)
            .find_map(|name| Some(Negotiated { subprotocol: Self::named(name)?, answer: Some(name) }))
            .unwrap_or(Negotiated { subprotocol: Self::Simple, answer: None })
    }

    /// What follows from a handler's choice: the subprotocol of that name, or a simple client where
    /// it is none of ours; `None` for a name that the client did not offer.
    ///
    /// Source: docs/spec/client.md#subprotocols.
    #[must_use]
    pub fn choose<'a>(offer: Option<&'a str>, chosen: &str) -> Option<Negotiated<'a>> {
        let name = Self::offered(offer).find(|name| name.eq_ignore_ascii_case(chosen))?;
        let subprotocol = Self::named(name).unwrap_or(Self::Simple);
        Some(Negotiated { subprotocol, answer: Some(name) })
    }

    /// Ours with this name, in any case.
    fn named(name: &str) -> Option<Self> {
        let is_named = |known: &Self| known.name().is_some_and(|known| known.eq_ignore_ascii_case(name));
        Self::NAMED.into_iter().find(is_named)
    }
}

impl fmt::Display for Subprotocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name().unwrap_or("simple"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_offer_wins_in_the_clients_spelling() {
        let cases = [
            (None, Subprotocol::Simple, None),
            (Some(""), Subprotocol::Simple, None),
            (Some("graphql-ws"), Subprotocol::Simple, None),
            (Some("json.webpubsub.azure.v1"), Subprotocol::Json, Some("json.webpubsub.azure.v1")),
            (Some("JSON.WebPubSub.azure.v1"), Subprotocol::Json, Some("JSON.WebPubSub.azure.v1")),
            (
                Some("custom, json.reliable.webpubsub.azure.v1 ,json.webpubsub.azure.v1"),
                Subprotocol::JsonReliable,
                Some("json.reliable.webpubsub.azure.v1"),
            ),
            (
                Some("protobuf.webpubsub.azure.v1,json.webpubsub.azure.v1"),
                Subprotocol::Protobuf,
                Some("protobuf.webpubsub.azure.v1"),
            ),
            (
                Some("Protobuf.Reliable.WebPubSub.Azure.V1"),
                Subprotocol::ProtobufReliable,
                Some("Protobuf.Reliable.WebPubSub.Azure.V1"),
            ),
        ];
        for (offer, subprotocol, answer) in cases {
            assert_eq!(Subprotocol::negotiate(offer), Negotiated { subprotocol, answer }, "{offer:?}");
        }
    }
}
