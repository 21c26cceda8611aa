//! Access keys, access tokens and their audiences.
