//! Handshakes: what one side asks and the other has to agree to.

use serde::{Deserialize, Serialize};

use super::{HandshakeId, Organization, OrganizationId};
use crate::directory::Tag;
use crate::id::AccountId;
use crate::time::Timestamp;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HandshakeAction {
    /// That an account joins the organization.
    Invite,
    /// That the organization has all features.
    EnableAllFeatures,
}

impl HandshakeAction {
    /// The word of the Organizations API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invite => "INVITE",
            Self::EnableAllFeatures => "ENABLE_ALL_FEATURES",
        }
    }

    /// The word of ARNs.
    pub const fn in_arns(self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::EnableAllFeatures => "enable_all_features",
        }
    }
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HandshakeState {
    /// It waits for an answer.
    Requested,
    /// Who asked took it back.
    Canceled,
    /// It was agreed to.
    Accepted,
    /// It was not.
    Declined,
    /// Nobody answered in time. Never stored: the time tells.
    Expired,
}

impl HandshakeState {
    /// The word of the Organizations API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::Canceled => "CANCELED",
            Self::Accepted => "ACCEPTED",
            Self::Declined => "DECLINED",
            Self::Expired => "EXPIRED",
        }
    }
}

/// A handshake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake {
    /// `h-…`
    pub id: HandshakeId,
    /// What is asked for.
    pub action: HandshakeAction,
    /// The organization that asks.
    pub organization: OrganizationId,
    /// The account that has to agree; none if nobody else has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// What became of it, but for its time.
    pub state: HandshakeState,
    /// When it was asked.
    pub requested_at: Timestamp,
    /// When it is too late to agree.
    pub expires_at: Timestamp,
    /// When it was agreed to, declined or taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// For whoever is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// The tags that the account gets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}

impl Handshake {
    /// How long one that is over is told of, in seconds: 30 days.
    const KEPT: i64 = 30 * 24 * 3600;

    /// What has become of it by now.
    pub fn state_at(&self, now: Timestamp) -> HandshakeState {
        match self.state {
            HandshakeState::Requested if self.expires_at <= now => HandshakeState::Expired,
            state => state,
        }
    }

    /// Whether it is forgotten.
    pub fn is_past(&self, now: Timestamp) -> bool {
        let over = match self.state_at(now) {
            HandshakeState::Requested => return false,
            HandshakeState::Expired => self.expires_at,
            _ => self.ended_at.unwrap_or(self.expires_at),
        };
        now.secs_since(over) > Self::KEPT
    }

    /// Its ARN.
    pub fn arn(&self, organization: &Organization) -> String {
        organization.arn_of("handshake", &format!("{}/{}", self.action.in_arns(), self.id))
    }
}
