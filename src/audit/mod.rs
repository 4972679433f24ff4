//! The audit log: CloudTrail records, intent before outcome.
