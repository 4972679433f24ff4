//! The shapes of both models. The model of `eks` leaves texts open: here they are what Kubernetes and
//! the documentation say they are.

use crate::ops::json::shape::Text;
use crate::ops::json::{Kind, Member};

fn is_cluster(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
}

fn any(_: &str) -> bool {
    true
}

const fn text(min: usize, max: usize, pattern: &'static str, accepts: fn(&str) -> bool) -> Kind {
    Kind::Text(Text { min, max: Some(max), pattern, accepts })
}

static CLUSTER_NAME: Kind = text(1, 100, r"[0-9A-Za-z][A-Za-z0-9\-_]*", is_cluster);
static NAME: Kind = text(1, 253, "", is_name);
static TEXT: Kind = text(1, 2048, "", any);
static TOKEN: Kind = text(1, 20_000, "", any);

/// The cluster, in the path.
pub(super) const CLUSTER: Member = Member::required("clusterName", &CLUSTER_NAME);
/// The association, in the path.
pub(super) const ASSOCIATION: Member = Member::required("associationId", &TEXT);
pub(super) const NAMESPACE: Member = Member::required("namespace", &NAME);
pub(super) const SERVICE_ACCOUNT: Member = Member::required("serviceAccount", &NAME);
pub(super) const OF_NAMESPACE: Member = Member::optional("namespace", &NAME);
pub(super) const OF_SERVICE_ACCOUNT: Member = Member::optional("serviceAccount", &NAME);
pub(super) const ROLE: Member = Member::required("roleArn", &TEXT);
pub(super) const NEW_ROLE: Member = Member::optional("roleArn", &TEXT);
pub(super) const REQUEST_TOKEN: Member = Member::optional("clientRequestToken", &TEXT);
pub(super) const TAGS: Member =
    Member::optional("tags", &Kind::Texts { most: 50, key: 128, value: 256 });
pub(super) const WITHOUT_TAGS: Member = Member::optional("disableSessionTags", &Kind::Boolean);
pub(super) const TARGET_ROLE: Member = Member::optional("targetRoleArn", &TEXT);
pub(super) const POLICY: Member = Member::optional("policy", &TEXT);
pub(super) const MOST: Member = Member::optional("maxResults", &Kind::Integer { min: 1, max: 100 });
pub(super) const NEXT: Member = Member::optional("nextToken", &TEXT);
/// The token of the service account.
pub(super) const WEB_TOKEN: Member = Member::required("token", &TOKEN);
/// Where an agent runs: taken, and of no effect.
pub(super) const NODE: Member = Member::optional("eksNodeName", &TEXT);
pub(super) const INSTANCE: Member = Member::optional("instanceId", &TEXT);
pub(super) const ZONE: Member = Member::optional("zone", &TEXT);
