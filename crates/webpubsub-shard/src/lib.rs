//! The rules of one shard of a hub: who is connected, who may do what, who receives what.
//!
//! A [`Shard`] never touches a socket, a clock or a disk. It is given what happened ([`Input`]), and a
//! [`Driver`] performs what follows ([`Output`]) on the [`Host`] that owns those, in order and without
//! waiting in between. What came over sockets may wait for a turn: [`Shard::next_turn`] says when to call
//! [`Driver::turn`]. What has to outlive the host's memory leaves as [`Output::Store`] and
//! [`Output::Attach`] and comes back through [`Shard::restore`].
//!
//! It holds no rule of the wire: frames, names and close codes are `webpubsub-protocol`'s. It never
//! sees an access key: who a client is was decided before [`Input::Connect`].
//!
//! ```
//! use webpubsub_shard::{ConnectRequest, EventPolicy, Shard, Input, Output, ShardConfig, ShardId, Snapshot};
//! use webpubsub_protocol::client::Frame;
//! use webpubsub_protocol::client::Subprotocol;
//! use webpubsub_protocol::name::HubName;
//! use webpubsub_protocol::time::Timestamp;
//!
//! let now = Timestamp::from_millis(0);
//! let policy = EventPolicy::new(HubName::parse("chat").unwrap());
//! let mut shard = Shard::restore(now, ShardConfig::only(), policy, Snapshot::default(), Vec::new()).shard;
//! let id = ShardId(0).connection_id([7; 16]);
//! let request = ConnectRequest { subprotocol: Subprotocol::Json, ..ConnectRequest::default() };
//! let outputs = shard.handle(now, Input::Connect { connection: id, request, reconnection_token: None });
//! let slot = outputs.iter().find_map(|output| match output {
//!     Output::Accept { slot, .. } => Some(*slot),
//!     _ => None,
//! });
//!
//! let ping = Frame::Text(r#"{"type":"ping"}"#.into());
//! let outputs = shard.handle(now, Input::Frame { from: slot.unwrap(), frame: ping });
//! assert!(matches!(&outputs[..], [Output::Send { frame: Frame::Text(text), .. }] if text.contains("pong")));
//! ```

// One step: what goes in, what comes out, and the loop around it.
mod driver;
mod input;
mod output;
mod shard;
mod step;
mod turns;

// Which shard of which hub it is, and what its operator, its servers and its clients may ask of it.
mod admission;
mod command;
mod config;
mod error;
mod placement;
mod settings;
mod shard_id;
mod shard_map;

// Its connections, and what each of them has.
mod ack;
mod backpressure;
mod buffer;
mod connection;
mod connections;
mod framing;
mod inbox;
mod mqtt;
mod permission;
mod rate_limit;
mod slot;
mod streams;

// What is published, shown in groups and posted to event handlers.
mod event_queue;
mod fan_out;
mod group_states;
mod log;
mod publish;
mod relay;

// What outlives its memory.
mod carried;
mod snapshot;

// What operators see of it.
mod history;
mod listing;
mod metrics;
mod trace;

pub use admission::{AdmissionError, ConnectRequest};
pub use buffer::Cursor;
pub use command::{Command, Groups, Permission, Reply, Selection, Target};
pub use config::{Full, Limits, ShardConfig, Sockets};
pub use driver::{Answer, Driver, Host, NotDone, send_by_number};
pub use error::{Refusal, TooManyPermissions};
pub use event_queue::{Attempts, Call, CallId, CircuitBreakers, EventPolicy};
pub use group_states::StateLimit;
pub use history::{HISTORY_MINUTES, MetricHistory, MetricValues};
pub use input::Input;
pub use listing::{ConnectionPage, ConnectionQuery, ConnectionView, MAX_LOOKED_AT, PermissionView};
pub use metrics::{METRICS, Metric};
pub use output::{Change, Output};
pub use permission::Verdict;
pub use placement::{Loads, Placement};
pub use relay::{Batch, BatchError};
pub use settings::{
    AnonymousConnectPolicy, EventHandler, GroupPresence, HandlerAuth, HandlerSecret, HubSettings, Settings,
    SettingsError, SystemEvents,
};
pub use shard::{Restored, Shard};
pub use shard_id::ShardId;
pub use shard_map::{ShardMap, ShardState};
pub use slot::Slot;
pub use snapshot::{Attachment, ConnectionRecord, EventContext, LogRow, MqttPacket, Snapshot, StoredMessage};
pub use trace::{MAX_UNREAD_TRACE_BYTES, MAX_WATCHERS, TraceFilter, WatcherId};
pub use turns::NextTurn;
