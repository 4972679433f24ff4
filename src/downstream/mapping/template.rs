//! Templates of resources: `arn:aws:orders:::order/{id}`.

use super::pattern::{PathPattern, is_name};
use crate::arn::Arn;
use crate::id::AccountId;

/// A template of a resource's ARN, or `*` for an action that has no resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceTemplate(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Name(String),
}

/// A text is no template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It is no ARN.
    #[error("takes an ARN such as arn:aws:orders:::order/{{id}}, or *")]
    Arn,
    /// The ARN's account is not the owner.
    #[error("names another account than the service's")]
    Account,
    /// A wildcard or variable.
    #[error("holds a wildcard or a variable: only names of the path, in braces, stand for others")]
    Wildcard,
    /// A brace that does not enclose a name of the path.
    #[error("holds braces around something else than a name of the path")]
    Name,
    /// A name in partition, service, region or account.
    #[error("takes names in braces after its fifth colon only")]
    Place,
    /// A name that does not stand between `/` and `:`, so that two paths could make one ARN.
    #[error("takes each name in braces as a whole part between / or :, and a rest at its end only")]
    Delimited,
}

impl ResourceTemplate {
    /// Reads a template for the paths of `pattern`.
    pub fn parse(
        text: &str,
        pattern: &PathPattern,
        owner: AccountId,
    ) -> Result<Self, TemplateError> {
        if text == "*" {
            return Ok(Self(vec![Piece::Text(text.to_owned())]));
        }
        if text.contains(['*', '?', '$']) {
            return Err(TemplateError::Wildcard);
        }
        let pieces = pieces(text)?;
        let arn = Arn::parse(text).map_err(|_| {
            let parts: Vec<_> = text.splitn(6, ':').collect();
            let early = parts.len() == 6 && parts.iter().take(5).any(|part| braced(part));
            if early { TemplateError::Place } else { TemplateError::Arn }
        })?;
        if !arn.account.is_empty() && arn.account != owner.to_string() {
            return Err(TemplateError::Account);
        }
        for (at, piece) in pieces.iter().enumerate() {
            let Piece::Name(name) = piece else { continue };
            let (_, rest) =
                pattern.names().find(|(known, _)| known == name).ok_or(TemplateError::Name)?;
            let before = at.checked_sub(1).and_then(|before| pieces.get(before));
            let starts = matches!(before, Some(Piece::Text(text)) if text.ends_with(['/', ':']));
            let ends = match pieces.get(at + 1) {
                None => true,
                Some(Piece::Text(text)) => !rest && text.starts_with(['/', ':']),
                Some(Piece::Name(_)) => false,
            };
            if !starts || !ends {
                return Err(TemplateError::Delimited);
            }
        }
        Ok(Self(pieces))
    }

    /// The ARN for these captures; `None` if one of them cannot stand in it.
    pub fn fill(&self, captures: &[(&str, String)]) -> Option<String> {
        let mut arn = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => arn.push_str(text),
                Piece::Name(name) => {
                    let (_, value) = captures.iter().find(|(known, _)| known == name)?;
                    if value.is_empty() || value.contains(['*', '?', ':', '$', '{', '}']) {
                        return None;
                    }
                    arn.push_str(value);
                }
            }
        }
        Some(arn)
    }
}

fn braced(part: &str) -> bool {
    part.contains(['{', '}'])
}

fn pieces(text: &str) -> Result<Vec<Piece>, TemplateError> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or(TemplateError::Name)?;
        let name = name.strip_suffix("...").unwrap_or(name);
        if before.contains('}') || !is_name(name) {
            return Err(TemplateError::Name);
        }
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        pieces.push(Piece::Name(name.to_owned()));
        rest = after;
    }
    if rest.contains('}') {
        return Err(TemplateError::Name);
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}
