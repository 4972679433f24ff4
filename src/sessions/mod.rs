//! Sessions and the ledger that remembers them.
