//! Integration tests: a module a topic.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::format_push_string,
    clippy::needless_pass_by_value,
    reason = "helpers of tests may fail loudly; clippy knows only #[test] functions as tests"
)]

mod anywhere;
mod anywhere_tls;
mod apply;
mod apply_organization;
mod audit_trouble;
mod aws_cli;
mod backup;
mod boto3;
mod broker;
mod caller;
mod certificates;
mod crash;
mod crash_writes;
mod disk_trouble;
mod edge_client;
mod edge_http;
mod edge_http2;
mod edge_ops;
mod edge_settings;
mod edge_smuggling;
mod edge_stop;
mod edge_support;
mod edge_tls;
mod fault_proxy;
mod idp;
mod init;
mod inside;
mod inside_layer;
mod jwt_oracle;
mod layers;
mod mfa;
mod models;
mod museum_oidc;
mod museum_requests;
mod museum_secrets;
mod museum_trust;
mod museum_verify;
mod organizations;
mod pods;
mod policy_files;
mod proxies;
mod python;
mod readme;
mod redis_broker;
mod redis_cancel;
mod redis_conformance;
mod redis_connect;
mod redis_lease;
mod redis_outage;
mod redis_server;
mod redis_sessions;
mod revocation;
mod root_user;
mod s3_uploads;
mod saml;
mod saml_c14n;
mod sdks;
mod services;
mod signals;
mod signed_requests;
mod sts;
mod tls;
mod verify;
mod web_identity;
mod web_tokens;
