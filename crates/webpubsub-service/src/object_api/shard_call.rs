//! What a shard is asked.

use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{Batch, ConnectRequest, Full};

use super::{ObjectRequest, ObjectResponse};
use crate::connect::full_status;
use crate::listing::Listing;
use crate::view::HubView;

/// What the host, the directory or another shard asks a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShardCall {
    /// Accept the socket of a client: [`ShardAnswer::Offered`].
    Connect(Box<AdmittedClient>),
    /// Accept another socket for a connection that its client proved to have had, by this token:
    /// [`ShardAnswer::Offered`].
    Recover(ConnectionId, String),
    /// Say whether there is room for a connection: [`ShardAnswer::Offered`], without a socket.
    Room,
    /// Take publishes of another shard: [`ShardAnswer::Taken`].
    Batch(Batch),
    /// Take the shards and the settings of the hub: [`ShardAnswer::Load`].
    View(HubView),
    /// Close every socket, since the service is about to stop: [`ShardAnswer::Taken`].
    GoAway,
    /// Say what became of attempts to call event handlers: [`ShardAnswer::Text`], a list in JSON.
    Deliveries,
    /// Say the values of [`webpubsub_shard::METRICS`]: [`ShardAnswer::Text`], with commas between.
    Metrics,
    /// Say what the metrics were in each minute up to that of this moment: [`ShardAnswer::Text`], for the gateway.
    History(Timestamp),
    /// Show connections or groups: [`ShardAnswer::Text`], as [`Listing::answer`] has it.
    List(Listing),
    /// Accept the socket of an operator who watches, by the query of the request, which
    /// [`TraceRequest`](crate::TraceRequest) reads: [`ShardAnswer::Offered`].
    Watch(String),
}

/// A client that may connect to a shard, if it has room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdmittedClient {
    /// The connection that it is to have.
    pub connection: ConnectionId,
    /// The token by which that can be recovered, if it can be.
    pub reconnection_token: Option<String>,
    /// Who the client is and what it speaks.
    pub request: ConnectRequest,
    /// What `Sec-WebSocket-Protocol` answers.
    pub subprotocol: Option<String>,
    /// Whether the answer is to say how many connections the shard holds, also where it refuses: in the header
    /// [`Offered::CONNECTIONS`].
    pub is_counted: bool,
}

/// What a shard answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShardAnswer {
    /// It takes a client, or does not.
    Offered(Offered),
    /// It is done.
    Taken,
    /// It is done, and so much is still to be done before the shard can leave the hub.
    Load(u64),
    /// What was asked for.
    Text(String),
}

/// What a shard says to a socket that is offered to it, of a client or of an operator who watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// It accepts it, or has room for a client.
    Accepted,
    /// It has no room.
    Full(Full),
    /// It takes no such socket: it does not know the connection that is to be recovered, or the socket is gone.
    Refused,
}

const CONNECT: &str = "/connect";
const CONNECT_COUNTED: &str = "/connectCounted";
const RECOVER: &str = "/recover";
const ROOM: &str = "/room";
const BATCH: &str = "/batch";
const VIEW: &str = "/view";
const GO_AWAY: &str = "/goAway";
const DELIVERIES: &str = "/deliveries";
const METRICS: &str = "/metrics";
const HISTORY: &str = "/history";
const LIST: &str = "/list";
const WATCH: &str = "/watch";

impl ShardCall {
    /// Whether it brings a socket, which the shard may accept.
    #[must_use]
    pub const fn brings_socket(&self) -> bool {
        matches!(self, Self::Connect(_) | Self::Recover(..) | Self::Watch(_))
    }

    /// Whether it waits until what has arrived by now is taken in, since it leads to a write that its answer has to
    /// wait for: what all such calls write then is one commit.
    #[must_use]
    pub fn shares_commit(&self) -> bool {
        match self {
            Self::Batch(_) => true,
            Self::Connect(client) => client.request.subprotocol.is_reliable(),
            Self::Recover(..)
            | Self::Room
            | Self::View(_)
            | Self::GoAway
            | Self::Deliveries
            | Self::Metrics
            | Self::History(_)
            | Self::List(_)
            | Self::Watch(_) => false,
        }
    }

    /// Writes the call. What a call about a client carries has neither blanks at its ends nor line breaks, and
    /// is ASCII: it may be the value of a header where a body would be in the way.
    #[must_use]
    pub fn encode(&self) -> ObjectRequest {
        match self {
            Self::Connect(client) => {
                let path = if client.is_counted { CONNECT_COUNTED } else { CONNECT };
                ObjectRequest::of(path, client.encode())
            }
            Self::Recover(connection, token) => ObjectRequest::of(RECOVER, format!("{connection} {token}")),
            Self::Room => ObjectRequest::bare(ROOM),
            Self::Batch(batch) => ObjectRequest::of(BATCH, batch.encode()),
            Self::View(view) => ObjectRequest::of(VIEW, view.encode()),
            Self::GoAway => ObjectRequest::bare(GO_AWAY),
            Self::Deliveries => ObjectRequest::bare(DELIVERIES),
            Self::Metrics => ObjectRequest::bare(METRICS),
            Self::History(until) => ObjectRequest::of(HISTORY, until.as_millis().to_string()),
            Self::Watch(query) => ObjectRequest::of(WATCH, query.clone()),
            Self::List(listing) => ObjectRequest::of(LIST, listing.encode()),
        }
    }

    /// Reads what [`ShardCall::encode`] wrote, whose `body` is empty for none; `None` for anything else.
    #[must_use]
    pub fn decode(path: &str, body: &str) -> Option<Self> {
        Some(match path {
            CONNECT | CONNECT_COUNTED => {
                let is_counted = path == CONNECT_COUNTED;
                Self::Connect(Box::new(AdmittedClient::decode(body, is_counted)?))
            }
            RECOVER => {
                let (connection, token) = body.split_once(' ')?;
                Self::Recover(ConnectionId::parse(connection).ok()?, token.to_owned())
            }
            ROOM => Self::Room,
            BATCH => Self::Batch(Batch::decode(body).ok()?),
            VIEW => Self::View(HubView::decode(body)?),
            GO_AWAY => Self::GoAway,
            DELIVERIES => Self::Deliveries,
            METRICS => Self::Metrics,
            HISTORY => Self::History(Timestamp::from_millis(body.parse().ok()?)),
            WATCH => Self::Watch(body.to_owned()),
            LIST => Self::List(Listing::decode(body)?),
            _ => return None,
        })
    }
}

impl AdmittedClient {
    /// Four parts with a blank between: none of them contains one.
    fn encode(&self) -> String {
        let Self { connection, reconnection_token, request, subprotocol, is_counted: _ } = self;
        let token = reconnection_token.as_deref().unwrap_or("-");
        let subprotocol = subprotocol.as_deref().unwrap_or("-");
        [connection.as_str(), token, &request.encode(), subprotocol].join(" ")
    }

    fn decode(text: &str, is_counted: bool) -> Option<Self> {
        let mut parts = text.splitn(4, ' ');
        let connection = ConnectionId::parse(parts.next()?).ok()?;
        let mut text = || parts.next();
        let optional = |text: &str| (text != "-").then(|| text.to_owned());
        Some(Self {
            connection,
            reconnection_token: optional(text()?),
            request: ConnectRequest::decode(text()?).ok()?,
            subprotocol: optional(text()?),
            is_counted,
        })
    }
}

impl ShardAnswer {
    /// Writes the answer. An accepted client is answered with its socket instead.
    #[must_use]
    pub fn encode(self) -> ObjectResponse {
        match self {
            Self::Offered(offered) => ObjectResponse::empty(offered.status()),
            Self::Taken => ObjectResponse::empty(204),
            Self::Load(load) => ObjectResponse::text(load.to_string()),
            Self::Text(text) => ObjectResponse::text(text),
        }
    }

    /// Reads an answer to [`ShardCall::View`]; `None` where there is none.
    #[must_use]
    pub fn load(answer: Option<&str>) -> Option<u64> {
        answer?.parse().ok()
    }
}

impl Offered {
    /// The header that says how many connections the shard holds.
    pub const CONNECTIONS: &str = "x-connections";

    const fn status(self) -> u16 {
        match self {
            Self::Accepted => 204,
            Self::Full(full) => full_status(full),
            Self::Refused => 404,
        }
    }

    /// Reads the status of an answer to an offer, which is 101 with a socket; `None` where the shard failed.
    #[must_use]
    pub fn of_status(status: u16) -> Option<Self> {
        if status == 101 {
            return Some(Self::Accepted);
        }
        let all = [Self::Accepted, Self::Full(Full::Quota), Self::Full(Full::Shard), Self::Refused];
        all.into_iter().find(|offered| offered.status() == status)
    }
}

#[cfg(test)]
mod tests {
    use webpubsub_protocol::client::Subprotocol;
    use webpubsub_protocol::client::endpoint::SimpleMode;
    use webpubsub_protocol::event_handler::Cookies;
    use webpubsub_shard::{HubSettings, ShardId, ShardMap};

    use super::*;

    fn client() -> AdmittedClient {
        AdmittedClient {
            connection: ShardId(7).connection_id([1; 16]),
            reconnection_token: Some("a.b.c".to_owned()),
            request: ConnectRequest {
                user: None,
                roles: vec!["webpubsub.sendToGroup.a b".to_owned()],
                groups: Vec::new(),
                subprotocol: Subprotocol::negotiate(Some("json.reliable.webpubsub.azure.v1")).subprotocol,
                mode: SimpleMode::SendEvent,
                custom_subprotocol: None,
                origin: "example.com".to_owned(),
                state: None,
                cookies: Cookies::default(),
                connect_body: None,
            },
            subprotocol: Some("json.reliable.webpubsub.azure.v1".to_owned()),
            is_counted: false,
        }
    }

    fn view() -> HubView {
        HubView { map: ShardMap::new(3), settings: Some(HubSettings::default()), since: 5 }
    }

    #[test]
    fn a_shard_reads_each_call_as_it_was_made() {
        let plain = AdmittedClient { reconnection_token: None, subprotocol: None, ..client() };
        for call in [
            ShardCall::Connect(Box::new(client())),
            ShardCall::Connect(Box::new(AdmittedClient { is_counted: true, ..client() })),
            ShardCall::Connect(Box::new(plain)),
            ShardCall::Recover(client().connection, "token".to_owned()),
            ShardCall::Room,
            ShardCall::Batch(Batch { from: ShardId(2), messages: Vec::new() }),
            ShardCall::View(view()),
            ShardCall::GoAway,
            ShardCall::Deliveries,
            ShardCall::Metrics,
            ShardCall::History(Timestamp::from_millis(7)),
            ShardCall::Watch("group=a%20b".to_owned()),
            ShardCall::List(Listing::Groups("top=3".to_owned())),
        ] {
            let ObjectRequest { path, body } = call.encode();
            assert_eq!(ShardCall::decode(path, &body), Some(call));
        }
    }

    #[test]
    fn what_is_written_before_its_answer_shares_a_commit() {
        let plain = AdmittedClient { request: ConnectRequest::default(), ..client() };
        for (call, shares) in [
            (ShardCall::Connect(Box::new(client())), true),
            (ShardCall::Connect(Box::new(plain)), false),
            (ShardCall::Recover(client().connection, "token".to_owned()), false),
            (ShardCall::Batch(Batch { from: ShardId(2), messages: Vec::new() }), true),
            (ShardCall::View(view()), false),
            (ShardCall::GoAway, false),
        ] {
            assert_eq!(call.shares_commit(), shares, "{call:?}");
        }
    }

    #[test]
    fn what_concerns_a_client_fits_into_a_header() {
        for call in [
            ShardCall::Connect(Box::new(client())),
            ShardCall::Recover(client().connection, "token".to_owned()),
        ] {
            let body = call.encode().body;
            assert!(body.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{body}");
            assert_eq!(body.trim(), body);
        }
    }

    #[test]
    fn no_path_of_the_rest_api_is_a_call() {
        for path in ["/api/health", "/API/hubs/h/:send", "/among/4/api/hubs/h/:send", "/", ""] {
            assert_eq!(ShardCall::decode(path, ""), None, "{path}");
        }
    }

    #[test]
    fn a_call_that_cannot_be_read_is_none() {
        for (path, body) in [
            (CONNECT, ""),
            (CONNECT, "c - - -"),
            (RECOVER, ""),
            (BATCH, "{}"),
            (VIEW, "null"),
            (LIST, ""),
            (HISTORY, "x"),
        ] {
            assert_eq!(ShardCall::decode(path, body), None, "{path} {body}");
        }
    }

    #[test]
    fn a_host_reads_each_answer_as_it_was_given() {
        for offered in
            [Offered::Accepted, Offered::Full(Full::Quota), Offered::Full(Full::Shard), Offered::Refused]
        {
            let ObjectResponse { status, body } = ShardAnswer::Offered(offered).encode();
            assert_eq!((Offered::of_status(status), body.as_str()), (Some(offered), ""));
        }
        assert_eq!(Offered::of_status(101), Some(Offered::Accepted), "with its socket");
        assert_eq!(Offered::of_status(500), None);
        assert_eq!(ShardAnswer::load(Some(&ShardAnswer::Load(9).encode().body)), Some(9));
        assert_eq!(ShardAnswer::load(None), None);
        assert_eq!(ShardAnswer::Taken.encode(), ObjectResponse::empty(204));
        assert_eq!(ShardAnswer::Text("1,2".to_owned()).encode().body, "1,2");
    }
}
