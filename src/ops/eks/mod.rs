//! Elastic Kubernetes Service, as far as EKS Pod Identity goes: API versions 2017-11-01 (`eks`) and
//! 2023-11-26 (`eks-auth`).
//!
//! # Model
//!
//! An association gives the pods of a service account a role. A cluster is not kept here by itself:
//! it is the OIDC provider of its tokens, in the same account, tagged with the cluster's name
//! ([`CLUSTER_TAG`]). A pod shows the token of its service account, made for
//! `pods.eks.amazonaws.com`, and gets a session of the role: by AssumeRoleForPodIdentity, which the
//! agent of a node signs, or by the credentials endpoint, which AWS SDKs in the pod ask themselves.
//!
//! # Trust boundary
//!
//! The cluster's issuer says which pod it is, and nothing else. Association, provider and role are of
//! one account, and the role must trust the service principal `pods.eks.amazonaws.com`.
//!
//! INVARIANT: a token of one cluster gets nothing that was given to another: the association names the
//! provider by its unique ID, and the token's audience is Pod Identity's own.
//!
//! Source: EKS API reference; EKS User Guide, "Learn how EKS Pod Identity grants pods access to AWS
//! services".

mod access;
pub mod associations;
pub mod assume_role;
mod exchange;
mod shapes;

#[cfg(test)]
mod tests;

pub use exchange::endpoint;

use super::json::{Row, row};

/// The service principal of Pod Identity, and the audience of tokens for it.
pub const PRINCIPAL: &str = "pods.eks.amazonaws.com";
/// The tag of an OIDC provider that names its cluster: the one that eksctl sets.
pub const CLUSTER_TAG: &str = "alpha.eksctl.io/cluster-name";

/// Every operation.
pub static ROWS: &[Row] = &[
    row::<associations::CreatePodIdentityAssociation>(),
    row::<associations::ListPodIdentityAssociations>(),
    row::<associations::DescribePodIdentityAssociation>(),
    row::<associations::UpdatePodIdentityAssociation>(),
    row::<associations::DeletePodIdentityAssociation>(),
    row::<assume_role::AssumeRoleForPodIdentity>(),
];
