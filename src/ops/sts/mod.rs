//! The Security Token Service, API version 2011-06-15.

pub mod assume_role;
pub mod assume_role_with_saml;
pub mod assume_role_with_web_identity;
pub mod assume_root;
pub mod decode_authorization_message;
pub mod get_access_key_info;
pub mod get_caller_identity;
pub mod get_federation_token;
pub mod get_session_token;
pub mod get_web_identity_token;
mod long_term;
mod provided_context;
mod second_factor;
pub(in crate::ops) mod session_input;

#[cfg(test)]
mod callers_tests;
#[cfg(test)]
mod federation_token_tests;
#[cfg(test)]
mod presets_tests;
#[cfg(test)]
mod provided_context_tests;
#[cfg(test)]
mod saml_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod web_identity_tests;
#[cfg(test)]
mod web_token_tests;
