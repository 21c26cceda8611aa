//! The browser client: a session behind the class that JavaScript sees.
