use std::collections::BTreeMap;

use webpubsub_protocol::name::{GroupName, UserId};

/// What a client's token says about the client.
///
/// Source: client spec, section 2.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientClaims {
    /// Whom the client acts for; `None` for an anonymous user.
    pub user_id: Option<UserId>,
    /// Its roles as written, unknown ones included.
    pub roles: Vec<String>,
    /// The groups that it is a member of from the start.
    pub groups: Vec<GroupName>,
    /// Every claim of the token, those above included, as the `connect` event passes them on.
    pub claims: BTreeMap<String, Vec<String>>,
}
