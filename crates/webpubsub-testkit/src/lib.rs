//! A hub and its clients in one process, with time and network moved by hand.
