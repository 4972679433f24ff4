//! Identity and Access Management, API version 2010-05-08.
//!
//! # Model
//!
//! Every operation works in the caller's own account: names never reach another. It asks
//! `access` for the entity that it names, and gets it only if the caller's policies allow the
//! action; whoever may not do it is told so whether or not the entity exists. A change is decided
//! and made within one transaction of the directory, so that decision and change see one state.
//!
//! What entities have in common (tags; inline and attached policies) is written once, over the
//! traits of `kind` and `holder`; `user_policies`, `role_policies` and their like only give it
//! AWS's names.
//!
//! Sources: AWS IAM API reference and the service model of 2010-05-08; "IAM and AWS STS quotas";
//! "Actions, resources, and condition keys for AWS Identity and Access Management" in the Service
//! Authorization Reference.

pub mod absent;
mod access;
pub mod account_alias;
pub mod account_summary;
mod attached;
pub mod authorization_details;
mod boundary;
mod change;
pub mod create_access_key;
pub mod create_role;
pub mod create_user;
pub mod credential_report;
pub mod delete_access_key;
pub mod delete_role;
pub mod delete_user;
pub mod entities_for_policy;
mod exclusions;
pub mod get_context_keys_for_custom_policy;
pub mod get_context_keys_for_principal_policy;
pub mod get_role;
pub mod get_user;
pub mod granting_access;
pub mod groups;
mod holder;
mod inline;
pub mod instance_profiles;
pub mod key_last_used;
mod keys;
mod kind;
pub mod list_access_keys;
pub mod list_roles;
pub mod list_users;
pub mod managed_policies;
pub mod membership;
pub mod mfa_devices;
pub mod oidc_providers;
pub mod outbound_federation;
mod page;
pub mod password_policy;
mod principal_policies;
pub mod profile_roles;
pub mod quotas;
pub mod role_policies;
pub mod role_tags;
pub mod root_access;
pub mod saml_providers;
pub mod settings;
pub mod simulate_custom_policy;
pub mod simulate_principal_policy;
pub mod simulation;
mod source;
mod tags;
pub(super) mod trust;
pub mod update_access_key;
pub mod update_assume_role_policy;
pub mod update_role;
pub mod update_user;
pub mod user_mfa;
pub mod user_policies;
pub mod user_tags;
pub mod versions;
mod xml;

#[cfg(test)]
mod tests;
