//! What the simulations of IAM have in common: their parameters, and their results.
//!
//! Source: AWS IAM API reference, SimulateCustomPolicy, SimulatePrincipalPolicy, EvaluationResult.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::arn::Arn;
use crate::directory::Organized;
use crate::id::AccountId;
use crate::ops::fault::Fault;
use crate::ops::organized::{self, ControlLevels};
use crate::ops::params::{Text, Validator, chars, rules};
use crate::policy::simulate::{self, MatchedStatement, Outcome, Policies, Question, Source};
use crate::policy::{
    self, Caller, Decimal, DocumentKind, Effect, Instant, Layer, fold, parse_binary, parse_bool,
    parse_network,
};
use crate::wire::xml::Xml;

/// At most this many policies in a list.
const MAX_POLICIES: usize = 100;
/// At most this many bytes of policies in one simulation: each evaluation reads all of them.
const MAX_BYTES: usize = 256 * 1024;
/// At most this many actions, and this many resources.
const MAX_ASKED: usize = 1_000;
/// At most this many condition keys.
const MAX_KEYS: usize = 200;

const ACTION: Text = Text::any(3, 128);
const RESOURCE: Text = Text::any(1, 2048);
const KEY: Text = Text::any(5, 256);
const VALUE: Text = Text::any(0, 4096);
const OPTION: Text = Text::new(1, 64, chars::ANY);

/// The types of a context entry: of what values, and whether it may have several.
const TYPES: [(&str, (ValueType, bool)); 12] = [
    ("string", (ValueType::Text, false)),
    ("stringList", (ValueType::Text, true)),
    ("numeric", (ValueType::Number, false)),
    ("numericList", (ValueType::Number, true)),
    ("boolean", (ValueType::Bool, false)),
    ("booleanList", (ValueType::Bool, true)),
    ("ip", (ValueType::Ip, false)),
    ("ipList", (ValueType::Ip, true)),
    ("binary", (ValueType::Binary, false)),
    ("binaryList", (ValueType::Binary, true)),
    ("date", (ValueType::Date, false)),
    ("dateList", (ValueType::Date, true)),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ValueType {
    Text,
    Number,
    Bool,
    Ip,
    Binary,
    Date,
}

impl ValueType {
    fn accepts(self, value: &str) -> bool {
        match self {
            Self::Text => true,
            Self::Number => Decimal::parse(value).is_some(),
            Self::Bool => parse_bool(value).is_some(),
            Self::Ip => parse_network(value).is_some() && !value.contains('/'),
            Self::Binary => parse_binary(value).is_some(),
            Self::Date => Instant::parse(value).is_some(),
        }
    }
}

/// A list of policy documents.
pub(super) fn documents(v: &mut Validator<'_, '_>, name: &str) -> Vec<String> {
    let documents = v.texts(name, 0..=MAX_POLICIES, &rules::POLICY_DOCUMENT);
    documents.unwrap_or_default().into_iter().map(ToOwned::to_owned).collect()
}

/// Parses the documents of a parameter; results call them by its name and their number.
///
/// # Errors
/// `InvalidInput`.
pub(super) fn sources(
    parameter: &str,
    documents: &[String],
    kind: DocumentKind,
) -> Result<Vec<Source>, Fault> {
    (documents.iter().zip(1_usize..))
        .map(|(text, number)| source(&format!("{parameter}.{number}"), text, kind))
        .collect()
}

fn source(id: &str, text: &str, kind: DocumentKind) -> Result<Source, Fault> {
    Source::parse(id, text, kind).map_err(|error| Fault::invalid_input(format!("{id}: {error}")))
}

/// One entry of `ContextEntries`.
struct Entry {
    key: String,
    values: Vec<String>,
    of: Option<(ValueType, bool)>,
}

/// What the directory knows of whose policies are simulated. Nothing, for policies by themselves.
#[derive(Default)]
pub(super) struct Known {
    /// Its own policies.
    pub(super) identity: Vec<Source>,
    /// Its permissions boundary.
    pub(super) boundary: Option<Source>,
    /// What results call each of its policies, and of what type they are, by the sources' IDs.
    pub(super) names: HashMap<String, (String, &'static str)>,
    /// The condition keys that every request of it has.
    pub(super) keys: policy::Context,
    /// Its account, and the organizations' state: their policies take part.
    pub(super) organized: Option<(AccountId, Organized)>,
    /// Service control policies are left out.
    pub(super) without_scps: bool,
}

/// The parameters of a simulation, but for the caller's own policies.
pub struct Asked {
    /// `ActionNames`.
    pub actions: Vec<String>,
    /// `ResourceArns`; `*` when there are none.
    pub resources: Vec<String>,
    boundary: Vec<String>,
    organization: Vec<Vec<String>>,
    resource_policy: Option<String>,
    owner: Option<String>,
    caller: Option<String>,
    context: Vec<Entry>,
    handling: bool,
}

impl Asked {
    /// Reads them.
    pub fn read(v: &mut Validator<'_, '_>) -> Self {
        fn owned(texts: Option<Vec<&str>>) -> Vec<String> {
            texts.unwrap_or_default().into_iter().map(ToOwned::to_owned).collect()
        }
        v.require_list("ActionNames");
        let context = v.list("ContextEntries", 0..=MAX_KEYS, |v| Entry {
            // The model does not require it; an entry without one is refused when it is used.
            key: v.optional("ContextKeyName", &KEY).unwrap_or_default().to_owned(),
            values: owned(v.texts("ContextKeyValues", 0..=MAX_KEYS, &VALUE)),
            of: v.choice("ContextKeyType", &TYPES),
        });
        Self {
            actions: owned(v.texts("ActionNames", 1..=MAX_ASKED, &ACTION)),
            resources: owned(v.texts("ResourceArns", 0..=MAX_ASKED, &RESOURCE)),
            boundary: documents(v, "PermissionsBoundaryPolicyInputList"),
            organization: Vec::new(),
            resource_policy: v
                .optional("ResourcePolicy", &rules::POLICY_DOCUMENT)
                .map(ToOwned::to_owned),
            owner: v.optional("ResourceOwner", &RESOURCE).map(ToOwned::to_owned),
            caller: v.optional("CallerArn", &RESOURCE).map(ToOwned::to_owned),
            context: context.unwrap_or_default(),
            handling: v.optional("ResourceHandlingOption", &OPTION).is_some(),
        }
    }

    /// Reads them, with service control policies that are given level by level.
    pub fn read_organized(v: &mut Validator<'_, '_>) -> Self {
        let organization = v.list("OrderedOrganizationPolicyInputList", 0..=7, |v| {
            documents(v, "ServiceControlPolicyInputList")
        });
        Self { organization: organization.unwrap_or_default(), ..Self::read(v) }
    }

    /// Whom `CallerArn` names: a user.
    ///
    /// # Errors
    /// `InvalidInput`.
    pub fn caller(&self) -> Result<Option<Caller>, Fault> {
        let Some(text) = &self.caller else { return Ok(None) };
        match simulate::caller(text) {
            Some(caller @ Caller::User { .. }) => Ok(Some(caller)),
            _ => Err(Fault::invalid_input("CallerArn must be the ARN of an IAM user.")),
        }
    }

    /// Who is simulated if `CallerArn` does not say: somebody of the account.
    ///
    /// # Errors
    /// `InvalidInput` if a resource's policy is to tell who it is.
    pub fn somebody(&self, account: AccountId) -> Result<Caller, Fault> {
        if self.resource_policy.is_some() {
            return Err(Fault::invalid_input(
                "CallerArn is required when ResourcePolicy is given.",
            ));
        }
        let own = crate::arn::iam(account, "user", "/", "simulated");
        simulate::caller(&own).ok_or_else(|| Fault::internal("no caller could be made"))
    }

    /// Parses the policies and the context. `given` are identity policies of the request.
    ///
    /// # Errors
    /// `InvalidInput`.
    pub(super) fn prepare(
        &self,
        caller: &Caller,
        account: AccountId,
        given: Vec<Source>,
        known: Known,
    ) -> Result<Prepared, Fault> {
        if self.handling {
            return Err(Fault::invalid_input("ResourceHandlingOption is not supported."));
        }
        for action in &self.actions {
            let named = action.split_once(':').is_some_and(|(service, name)| {
                !service.is_empty() && !name.is_empty() && !action.contains(['*', '?', ' '])
            });
            if !named {
                return Err(Fault::invalid_input(format!(
                    "ActionNames: {} is not the name of one action.",
                    crate::wire::printable(action, 128)
                )));
            }
        }
        if self.boundary.len() > 1 {
            return Err(Fault::invalid_input(
                "PermissionsBoundaryPolicyInputList: a caller has one permissions boundary.",
            ));
        }
        let boundary =
            sources("PermissionsBoundaryPolicyInputList", &self.boundary, DocumentKind::Boundary)?;
        let mut service_control = Vec::new();
        for (level, number) in self.organization.iter().zip(1_usize..) {
            let id = format!(
                "OrderedOrganizationPolicyInputList.{number}.ServiceControlPolicyInputList"
            );
            service_control.push(sources(&id, level, DocumentKind::ServiceControl)?);
        }
        let resource = (self.resource_policy.as_deref())
            .map(|text| source("ResourcePolicy", text, DocumentKind::Resource))
            .transpose()?;
        let own: usize = [&self.boundary, &self.organization.concat()]
            .iter()
            .flat_map(|list| list.iter())
            .chain(&self.resource_policy)
            .map(String::len)
            .sum();
        let own = own.saturating_add(given.iter().map(Source::size).sum());
        if own > MAX_BYTES {
            return Err(Fault::invalid_input(format!(
                "The policies of a simulation have at most {MAX_BYTES} bytes together."
            )));
        }
        let limits = known.organized.as_ref().map(|(own, it)| control_size(it, *own));
        let more: usize = known.identity.iter().chain(&known.boundary).map(Source::size).sum();
        let size = own.saturating_add(more).saturating_add(limits.unwrap_or_default());
        let asked = self.actions.len().saturating_mul(self.resources.len().max(1));
        if size.saturating_mul(asked) > MAX_WORK {
            return Err(too_large("policies"));
        }
        let mut policies = Policies {
            identity: known.identity.into_iter().chain(given).collect(),
            // One that is given stands in for the caller's own.
            boundary: boundary.into_iter().next().or(known.boundary),
            resource,
            service_control,
            ..Policies::default()
        };
        policies.bind(caller);
        let mut context = known.keys;
        for (key, value) in self.context()?.iter() {
            context.insert(key, value.clone());
        }
        if self.caller.is_some() {
            simulate::add_caller_keys(&mut context, caller);
        }
        let resources: usize = self.resources.iter().map(String::len).sum();
        let compared = asked
            .saturating_mul(values_size(&context))
            .saturating_add(self.actions.len().saturating_mul(resources));
        if size.saturating_mul(compared) > MAX_COMPARED {
            return Err(too_large("values of condition keys"));
        }
        let owner = match &self.owner {
            None => caller.account().unwrap_or(account),
            Some(text) => owner(text).ok_or_else(|| {
                Fault::invalid_input("ResourceOwner must be an account, or an ARN of one.")
            })?,
        };
        Ok(Prepared {
            caller: caller.clone(),
            policies,
            context,
            owner,
            actions: self.actions.clone(),
            resources: self.resources.clone(),
            names: known.names,
            organized: known.organized,
            without_scps: known.without_scps,
        })
    }

    fn context(&self) -> Result<policy::Context, Fault> {
        let mut context = policy::Context::new();
        let mut seen = HashSet::new();
        for Entry { key, values, of } in &self.context {
            if key.is_empty() {
                return Err(Fault::invalid_input(
                    "ContextEntries: an entry has no ContextKeyName.",
                ));
            }
            let shown = crate::wire::printable(key, 256);
            if !seen.insert(fold(key)) {
                let message = format!("ContextEntries: {shown} is given twice.");
                return Err(Fault::invalid_input(message));
            }
            let (of, many) = of.unwrap_or((ValueType::Text, values.len() != 1));
            if let Some(wrong) = values.iter().find(|value| !of.accepts(value)) {
                let wrong = crate::wire::printable(wrong, 128);
                let message = format!(
                    "ContextEntries: {shown} has the value {wrong}, which is not of its type."
                );
                return Err(Fault::invalid_input(message));
            }
            let value = match (many, values.as_slice()) {
                (true, values) => policy::Value::Many(values.to_vec()),
                (false, [value]) => policy::Value::One(value.clone()),
                (false, _) => {
                    let message = format!("ContextEntries: {shown} takes exactly one value.");
                    return Err(Fault::invalid_input(message));
                }
            };
            context.insert(key, value);
        }
        Ok(context)
    }
}

/// The account of an ARN, or an account's number.
fn owner(text: &str) -> Option<AccountId> {
    let account = Arn::parse(text).map_or(text, |arn| arn.account);
    AccountId::parse(account).ok()
}

/// At most this much work: bytes of policies times questions.
const MAX_WORK: usize = 16 * 1024 * 1024;
/// At most this much work: bytes of policies times bytes that they are compared with. A pattern is
/// held against the whole of a value, so that policies and values cost their product.
const MAX_COMPARED: usize = MAX_WORK * 512;

fn too_large(what: &str) -> Fault {
    Fault::invalid_input(format!(
        "The simulation is too large: ask of fewer actions, resources or {what} at once."
    ))
}

/// How many bytes the values of condition keys have.
fn values_size(context: &policy::Context) -> usize {
    let size = |value: &policy::Value| match value {
        policy::Value::One(one) => one.len(),
        policy::Value::Many(many) => many.iter().map(String::len).sum(),
    };
    context.iter().map(|(_, value)| size(value)).sum()
}

/// How many bytes of control policies limit an account.
fn control_size(organized: &Organized, account: AccountId) -> usize {
    let (service, resource) = ControlLevels::gather(organized, Some(account), account).sources();
    service.iter().chain(&resource).flatten().map(Source::size).sum()
}

/// A simulation, ready to be asked.
pub struct Prepared {
    caller: Caller,
    policies: Policies,
    context: policy::Context,
    owner: AccountId,
    actions: Vec<String>,
    resources: Vec<String>,
    names: HashMap<String, (String, &'static str)>,
    organized: Option<(AccountId, Organized)>,
    without_scps: bool,
}

impl Prepared {
    /// Every action with every resource, in the order of the request.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.actions.iter().flat_map(move |action| {
            let none = self.resources.is_empty().then_some((action.as_str(), None));
            let each = self.resources.iter().map(move |it| (action.as_str(), Some(it.as_str())));
            none.into_iter().chain(each)
        })
    }

    /// About how many bytes each result takes for the condition keys that are missing: they are told
    /// twice.
    pub fn weight(&self) -> usize {
        const MARKUP: usize = "<member></member>".len();
        self.policies.condition_keys().iter().map(|key| 2 * (key.len() + MARKUP)).sum()
    }

    /// Evaluates one action on one resource.
    pub fn evaluate(&self, action: &str, resource: Option<&str>) -> Evaluated {
        let own = resource.and_then(|text| AccountId::parse(Arn::parse(text).ok()?.account).ok());
        let owner = own.unwrap_or(self.owner);
        let (context, policies) = self.within_organization(owner);
        let request = policy::Request {
            caller: &self.caller,
            action,
            resource: resource.unwrap_or("*"),
            context: &context,
        };
        let question = Question { request, resource_account: owner };
        let mut outcome = simulate::simulate(&question, &policies);
        if self.organized.is_some() {
            // INVARIANT: which keys the organization's policies ask for is not told.
            outcome.missing = simulate::missing(&question.request, &self.policies);
        }
        let matched = std::mem::take(&mut outcome.matched);
        let matched = matched.into_iter().filter_map(|it| self.told(it)).collect();
        if let Some((account, organized)) = &self.organized
            && organized.organization_of(*account).is_some()
        {
            outcome.organization_allows.get_or_insert(true);
        }
        let resource = resource.map(ToOwned::to_owned);
        Evaluated { action: action.to_owned(), resource, matched, outcome }
    }

    /// The condition keys and policies of a question about what `owner` owns: for somebody of the
    /// directory, with those of the organization, as every decision has them.
    ///
    /// INVARIANT: of another account it is told neither where it stands nor what limits it, but to
    /// the organization's management account.
    fn within_organization(
        &self,
        owner: AccountId,
    ) -> (Cow<'_, policy::Context>, Cow<'_, Policies>) {
        let Some((account, organized)) = &self.organized else {
            return (Cow::Borrowed(&self.context), Cow::Borrowed(&self.policies));
        };
        let mut keys = policy::Context::new();
        let known = owner == *account
            || organized.organization_of(owner).is_some_and(|it| it.management == *account);
        if known {
            organized::add_keys(&mut keys, organized, Some(*account), owner);
        } else {
            keys.insert("aws:ResourceAccount", policy::Value::One(owner.to_string()));
            organized::add_place(&mut keys, organized, "Principal", *account);
        }
        for (key, value) in self.context.iter() {
            keys.insert(key, value.clone());
        }
        let levels = ControlLevels::gather(organized, Some(*account), owner);
        if levels.is_empty() {
            return (Cow::Owned(keys), Cow::Borrowed(&self.policies));
        }
        let (mut service_control, mut resource_control) = levels.sources();
        if !known {
            resource_control.clear();
        }
        if self.without_scps {
            service_control.clear();
        }
        let policies = Policies { service_control, resource_control, ..self.policies.clone() };
        (Cow::Owned(keys), Cow::Owned(policies))
    }

    /// A statement as results tell it. The organization's own policies are not the account's to
    /// read: of them it is told only whether they allow.
    fn told(&self, it: MatchedStatement) -> Option<Told> {
        let MatchedStatement { matched, start, end } = it;
        let theirs = matches!(matched.layer, Layer::ServiceControl | Layer::ResourceControl);
        if theirs && self.organized.is_some() {
            return None;
        }
        let named = self.names.get(&matched.policy).cloned();
        let (policy, kind) = named.unwrap_or_else(|| {
            let kind = if matched.layer == Layer::Resource { "resource" } else { "none" };
            (matched.policy, kind)
        });
        Some(Told { policy, kind, start, end })
    }
}

/// A statement that made a decision.
struct Told {
    policy: String,
    /// One of `PolicySourceType`.
    kind: &'static str,
    start: (usize, usize),
    end: (usize, usize),
}

/// What came of one action on one resource.
pub struct Evaluated {
    action: String,
    resource: Option<String>,
    matched: Vec<Told>,
    outcome: Outcome,
}

impl Evaluated {
    /// The members of an `EvaluationResult`.
    pub fn write(&self, xml: &mut Xml) {
        let outcome = &self.outcome;
        let resource = self.resource.as_deref().unwrap_or("*");
        xml.text("EvalActionName", &self.action);
        xml.text("EvalResourceName", resource);
        xml.text("EvalDecision", word(outcome.decision().effect()));
        statements(xml, &self.matched);
        xml.texts("MissingContextValues", &outcome.missing);
        if let Some(allowed) = outcome.organization_allows {
            xml.element("OrganizationsDecisionDetail", |xml| {
                xml.value("AllowedByOrganizations", allowed);
            });
        }
        boundary(xml, outcome);
        if self.resource.is_none() {
            return;
        }
        details(xml, outcome);
        xml.list("ResourceSpecificResults", [outcome], |xml, outcome| {
            xml.text("EvalResourceName", resource);
            xml.text("EvalResourceDecision", word(outcome.decision().effect()));
            statements(xml, &self.matched);
            xml.texts("MissingContextValues", &outcome.missing);
            details(xml, outcome);
            boundary(xml, outcome);
        });
    }
}

fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "allowed",
        Effect::ExplicitDeny => "explicitDeny",
        Effect::ImplicitDeny => "implicitDeny",
    }
}

fn statements(xml: &mut Xml, matched: &[Told]) {
    xml.list("MatchedStatements", matched, |xml, statement| {
        xml.text("SourcePolicyId", &statement.policy);
        xml.text("SourcePolicyType", statement.kind);
        position(xml, "StartPosition", statement.start);
        position(xml, "EndPosition", statement.end);
    });
}

fn position(xml: &mut Xml, name: &'static str, (line, column): (usize, usize)) {
    xml.element(name, |xml| {
        xml.value("Line", line);
        xml.value("Column", column);
    });
}

fn boundary(xml: &mut Xml, outcome: &Outcome) {
    if let Some(allowed) = outcome.boundary_allows {
        xml.element("PermissionsBoundaryDecisionDetail", |xml| {
            xml.value("AllowedByPermissionsBoundary", allowed);
        });
    }
}

/// Present, and empty within an account. Where a service control policy does not allow it, nothing
/// further is looked at.
fn details(xml: &mut Xml, outcome: &Outcome) {
    if outcome.organization_allows == Some(false) {
        return;
    }
    xml.element("EvalDecisionDetails", |xml| {
        let Some((mine, theirs)) = outcome.across else { return };
        for (key, effect) in [("IAM Policy", mine), ("Resource Policy", theirs)] {
            xml.element("entry", |xml| {
                xml.text("key", key);
                xml.text("value", word(effect));
            });
        }
    });
}
