//! Role strings in tokens and the permissions that they grant.
