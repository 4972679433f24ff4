//! The keyring and what it seals: session tokens, stored secrets.
