//! The rules of a hub: who is connected, who may do what, who receives what.
