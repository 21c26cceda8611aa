//! Access keys, access tokens and their audiences.
//!
//! Clients and servers prove who they are with JSON Web Tokens that are signed with one of the
//! service's two [`AccessKeys`]. This crate verifies them ([`verify_client`], [`verify_service`], [`VerifiedTokens`])
//! and makes the service's own ([`sign_client`], [`sign_reconnection_token`]). With the same keys it
//! makes the tokens that continue a list ([`sign_continuation`]) and signs what event handlers are sent
//! ([`AccessKeys::signature`]). Sessions of operators have keys of their own ([`SessionKeys`]). It reads and writes
//! [`ConnectionString`]s, which carry a key to servers.
//!
//! It never asks what time it is (`now` is an argument), never looks at roles, and never lets a key
//! or a token into an error, a log or a `Debug` text.
//!
//! ```
//! use webpubsub_auth::{
//!     AccessKeys, AudienceError, Hosts, ServiceAudience, TokenError, sign, verify_service,
//! };
//! use webpubsub_protocol::time::Timestamp;
//!
//! let keys = AccessKeys::new("0123456789abcdef0123456789abcdef", None)?;
//! let token = sign(&keys, r#"{
//!     "aud": "https://example.com/api/hubs/chat/:send?api-version=2024-12-01",
//!     "exp": 1700000060
//! }"#);
//!
//! let now = Timestamp::from_millis(1_700_000_000_000);
//! let hosts = Hosts { requested: "example.com", accepted: &[] };
//! let send = ServiceAudience { hosts, path: "/api/hubs/chat/:send" };
//! assert_eq!(verify_service(&keys, now, &token, &send)?.to_string(), "https://example.com");
//! let close = ServiceAudience { hosts, path: "/api/hubs/chat/:closeConnections" };
//! assert_eq!(verify_service(&keys, now, &token, &close), Err(TokenError::Audience(AudienceError::Path)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod access_key;
mod audience;
mod claims;
mod connection_string;
mod continuation;
mod error;
mod provider;
mod reconnection;
mod session;
mod signature;
mod token;
mod verified;

pub use access_key::{AccessKeyError, AccessKeys, KeyRole, access_key, fingerprint};
pub use audience::{ClientAudience, Hosts, PublicOrigin, ServiceAudience};
pub use claims::ClientClaims;
pub use connection_string::{ConnectionString, ConnectionStringError};
pub use continuation::{ContinuationError, read_continuation, sign_continuation, verify_continuation};
pub use error::{AudienceError, TokenError};
pub use reconnection::{sign_reconnection_token, verify_reconnection_token};
pub use session::{SESSION_LIFETIME, SessionKeys, Ticket, verify_ticket};
pub use token::{bearer, sign, sign_client, verify_client, verify_service};
pub use verified::VerifiedTokens;
