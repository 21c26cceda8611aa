//! The rules of a client session: connecting, acknowledging, retrying, rejoining.
