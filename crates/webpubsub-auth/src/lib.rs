//! Access keys, access tokens and their audiences.

mod access_key;
mod audience;
mod claims;
mod connection_string;
mod error;
mod provider;
mod reconnection;
mod token;

pub use access_key::{AccessKeyError, AccessKeys, KeyRole};
pub use audience::{ClientAudience, Hosts, ServiceAudience};
pub use claims::ClientClaims;
pub use connection_string::{ConnectionString, ConnectionStringError};
pub use error::TokenError;
pub use reconnection::{sign_reconnection_token, verify_reconnection_token};
pub use token::{bearer, sign, sign_client, verify_client, verify_service};
