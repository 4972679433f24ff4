//! The directory: accounts, users, roles, policies, keys, revocations.
