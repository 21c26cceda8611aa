//! The URL that clients connect to.
