//! What stands between a request and a shard, without sockets, disks or HTTP.
//!
//! A host (the worker, a native server, the simulation) receives requests and stores rows. What it does
//! with them is decided here: which settings and shards a hub has, which shard a client or a REST call
//! goes to, how answers of several shards become one, and how an event is delivered to its handler.
//!
//! Time, randomness and the network reach this crate as values, or through a host's trait. Each module is
//! a function of values, a state machine that asks its host for one thing at a time, or the loop around one
//! over a trait that a host implements ([`gateway::Host`], [`PartsHost`], [`Objects`], [`EventHost`],
//! [`DirectoryHost`], [`ObjectHost`]), which waits for nothing else.
//!
//! ```
//! use webpubsub_protocol::rest::{Operation, Route};
//! use webpubsub_service::{Destination, Success, Task};
//!
//! let route = Route::find("POST", "/api/hubs/chat/groups/room/:send").unwrap();
//! let operation = route.operation(Some("api-version=2024-12-01")).unwrap();
//! let Operation::OfHub(hub, operation) = operation else { unreachable!() };
//! let task = Task::of(operation);
//! assert_eq!(hub.as_str(), "chat");
//! // Members of a group can be in every shard; the message is published once all have taken it.
//! assert_eq!((task.destination, task.success), (Destination::AllShards, Success::OfAll));
//! ```

// A request from outside: what it is answered with, and which keys, sessions and settings of the operator hold.
mod config;
pub mod gateway;
mod keys;
mod log_line;
mod sign_in;
mod unread_body;
mod upgrade;

// A client's handshake.
pub mod connect;

// A call of the REST API: which shards it goes to, what each of them does, and one answer out of theirs.
mod command_reader;
mod part;
mod scatter;
mod shard_range;
mod task;
mod task_head;

// The objects of the service, a shard or a directory each, and what is asked of them.
pub mod directory;
mod directory_driver;
mod object_api;
mod objects;
mod shard_object;
mod view;

// Events on their way to their handlers.
mod deliveries;
mod event_call;
mod event_driver;
mod handler_test;

// What operators ask for, and see.
mod history;
mod listing;
mod management;
mod trace;

pub use command_reader::{BodyReader, CommandHead};
pub use config::{Config, ConfigError};
pub use directory_driver::{DirectoryDriver, DirectoryHost, ErrorOf};
pub use event_call::{AnswerBody, Done, EventCall, KnownHandlers, Newcomer, Request, Wanted, first_attempt};
pub use event_driver::{EventHost, Judge, Keep, deliver};
pub use handler_test::test_handler;
pub use keys::{KeyChange, KeyRing, KeyTexts, Keys, StoredKeys};
pub use listing::Listing;
pub use log_line::{LogLevel, log_line};
pub use object_api::{
    AdmittedClient, DirectoryAnswer, DirectoryCall, ObjectRequest, ObjectResponse, Offered, REGISTER,
    ShardAnswer, ShardCall, object_name, parse_object_name,
};
pub use objects::{Objects, introduce, relay};
pub use part::{Part, encode_answer};
pub use scatter::PartsHost;
pub use shard_object::{Answered, Holder, ObjectHost, RestoredObject, ShardObject, restore_shard};
pub use shard_range::{Destination, ShardRange};
pub use sign_in::{SignIn, SignIns};
pub use task::{Success, Task, TaskRequest, Work};
pub use task_head::TaskHead;
pub use trace::TraceRequest;
pub use unread_body::{DROP_LIMIT, DROP_PAUSE, MAX_DROPPED_BYTES};
pub use upgrade::{is_listed, is_web_socket};
pub use view::{HubView, SharedLoads, ViewCache};
