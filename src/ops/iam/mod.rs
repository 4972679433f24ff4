//! IAM
