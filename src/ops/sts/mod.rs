//! The Security Token Service, API version 2011-06-15.

pub mod assume_role;
pub mod decode_authorization_message;
pub mod get_access_key_info;
pub mod get_caller_identity;
pub mod get_session_token;
mod second_factor;
mod session_input;

#[cfg(test)]
mod tests;
