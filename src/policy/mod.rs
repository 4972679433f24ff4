//! The policy language: parsing, evaluation, decisions.
