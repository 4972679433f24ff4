//! The region of the deployment: one, of the operator's choosing.
//!
//! # Model
//!
//! Clients sign with whatever region they are set to, and each is taken, so that unmodified SDKs
//! work with the region they have. It is part of the signature and means nothing else: a request to
//! the broker's own API was made to the region that the deployment is in.
//!
//! INVARIANT (a client chooses no condition key): `aws:RequestedRegion` in decisions about the
//! broker's own API, and the region in every ARN that the broker makes, is the deployment's. What a
//! policy denies by region or by ARN is denied to whoever signs for another region, too.

use std::sync::Arc;

use serde::Deserialize;

use crate::arn::{Arn, PARTITION};
use crate::id::AccountId;

/// The longest name of a region, in bytes.
const MAX: usize = 64;

/// The region as a setting: at the top level.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The region that the deployment is in, as policies and ARNs name it. AWS's global services
    /// are in `us-east-1`, the default.
    pub region: Region,
}

/// The name of a region.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Region(Arc<str>);

/// The text is no name of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a region has 1 to {MAX} lower-case letters, digits and hyphens")]
pub struct RegionError;

impl Region {
    /// Reads a name.
    ///
    /// # Errors
    /// It is empty, too long, or holds other characters than lower-case letters, digits, hyphens.
    pub fn parse(text: &str) -> Result<Self, RegionError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !(1..=MAX).contains(&text.len()) || !text.bytes().all(plain) {
            return Err(RegionError);
        }
        Ok(Self(text.into()))
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `arn:aws:<service>:<region>:<account>:<resource>`
    pub fn arn(&self, service: &str, account: AccountId, resource: &str) -> String {
        let account = account.to_string();
        let region = self.as_str();
        Arn { partition: PARTITION, service, region, account: &account, resource }.to_string()
    }
}

impl Default for Region {
    fn default() -> Self {
        Self("us-east-1".into())
    }
}

impl TryFrom<String> for Region {
    type Error = RegionError;

    fn try_from(text: String) -> Result<Self, RegionError> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::fault::FaultCode;
    use crate::ops::testing::{Bench, HOME, REGION};

    #[test]
    fn a_region_is_a_plain_name_and_stands_in_arns() {
        let account = AccountId::parse("111122223333").unwrap();
        for good in ["us-east-1", "eu-central-1", "local", &"a".repeat(64)] {
            let region = Region::parse(good).unwrap();
            assert_eq!(
                region.arn("eks", account, "cluster/prod"),
                format!("arn:aws:eks:{good}:111122223333:cluster/prod")
            );
        }
        for bad in ["", "EU-west-1", "eu west", "*", "eu-west-1:x", "eu/1", "ü", &"a".repeat(65)] {
            assert_eq!(Region::parse(bad), Err(RegionError), "{bad}");
        }
        let read = |text| serde_json::from_value::<Settings>(serde_json::json!({ "region": text }));
        assert_eq!(read("eu-west-1").unwrap().region.as_str(), "eu-west-1");
        assert!(read("*").is_err());
        assert_eq!(Settings::default().region.as_str(), "us-east-1");
    }

    /// The client signs for another region than the deployment's: policies see the deployment's.
    #[tokio::test]
    async fn a_client_does_not_choose_the_requested_region() {
        assert_ne!(REGION, HOME);
        let bench = Bench::new().await;
        let policy = |effect: &str, operator: &str, region: &str| {
            serde_json::json!({ "Version": "2012-10-17", "Statement": [
                { "Effect": "Allow", "Action": "iam:*", "Resource": "*" },
                { "Effect": effect, "Action": ["iam:ListUsers", "organizations:*"],
                  "Resource": "*",
                  "Condition": { operator: { "aws:RequestedRegion": region } } },
            ]})
            .to_string()
        };
        let cases = [
            ("StringEquals", HOME, false),
            ("StringEquals", REGION, true),
            ("StringNotEquals", HOME, true),
            ("StringNotEquals", REGION, false),
        ];
        for (at, (operator, region, passes)) in cases.into_iter().enumerate() {
            let denied = policy("Deny", operator, region);
            let user = bench.user(&bench.a, &format!("user-{at}"), &denied).await;
            let result = bench.call(&user, "ListUsers", &[]).await;
            match result {
                Ok(_) => assert!(passes, "{operator} {region}"),
                Err(fault) => {
                    assert_eq!(fault.code(), FaultCode::AccessDenied);
                    assert!(!passes, "{operator} {region}");
                }
            }
        }
    }
}
