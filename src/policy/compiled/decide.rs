//! The compiled layers of a request, put together into one decision: as the interpreter does it,
//! with the first statement of each layer that takes effect in place of all of them.

use super::super::caller::{Caller, FederationMaker};
use super::super::decide::{Decision, Effect, Layer, Matched, Request};
use super::super::principal::Reach;
use super::index::Action;
use super::statement::{Facts, Statement};
use super::{CompiledPolicy, CompiledSet, Core};
use crate::arn;
use crate::id::AccountId;

/// A compiled policy and what to call it: its ARN, or an inline policy's name.
#[derive(Clone, Copy, Debug)]
pub struct CompiledNamed<'a> {
    /// The name that decisions show.
    pub name: &'a str,
    /// The policy.
    pub policy: &'a CompiledPolicy,
}

/// The policies of one layer.
#[derive(Clone, Copy, Debug)]
pub enum CompiledLayer<'a> {
    /// Each by itself.
    List(&'a [CompiledNamed<'a>]),
    /// Compiled together.
    Set(&'a CompiledSet),
}

/// Every policy that applies to a request: [`Layers`], compiled.
///
/// [`Layers`]: crate::policy::Layers
#[derive(Clone, Copy, Debug)]
pub struct CompiledLayers<'a> {
    /// The account that owns the resource.
    ///
    /// INVARIANT (someone owns every resource): a caller from another account needs the
    /// resource's own policy too.
    pub resource_account: AccountId,
    /// The caller's identity policies, those of its groups too. For a federated user: its
    /// maker's.
    pub identity: CompiledLayer<'a>,
    /// The permissions boundary of the caller's user or role.
    pub boundary: Option<CompiledNamed<'a>>,
    /// The session policies; `None` when none were passed.
    pub session: Option<CompiledLayer<'a>>,
    /// The resource's policy. [`decide_trust`] takes its trust policy apart from this.
    pub resource: Option<CompiledNamed<'a>>,
    /// The service control policies of the caller's account, a layer for each level.
    pub service_control: &'a [CompiledLayer<'a>],
    /// The resource control policies of the resource's account, a layer for each level.
    pub resource_control: &'a [CompiledLayer<'a>],
}

/// A statement that made a decision, where it stands.
#[derive(Clone, Copy, Debug)]
pub struct StatementRef<'a> {
    policy: &'a str,
    /// None for the root user's own right.
    statement: Option<&'a Statement>,
    layer: Layer,
}

impl<'a> StatementRef<'a> {
    /// The layer that its policy is in.
    pub fn layer(&self) -> Layer {
        self.layer
    }

    /// The policy's name; `None` for the root user's own right.
    pub fn policy(&self) -> Option<&'a str> {
        self.statement.map(|_| self.policy)
    }

    /// The statement's place in the policy, counted from 0.
    pub fn statement(&self) -> usize {
        self.statement.map_or(0, |statement| statement.index as usize)
    }

    /// Its Sid.
    pub fn sid(&self) -> Option<&'a str> {
        self.statement.and_then(|statement| statement.sid.as_deref())
    }

    fn to_matched(self, account: Option<AccountId>) -> Matched {
        let policy = match (self.statement, account) {
            (None, Some(account)) => arn::account_root(account),
            _ => self.policy.to_owned(),
        };
        let sid = self.sid().map(ToOwned::to_owned);
        Matched { layer: self.layer, policy, statement: self.statement(), sid }
    }
}

/// What was decided, and what decided it. It borrows from the policies, and making it allocates
/// nothing.
///
/// Its effect and layer are those of the interpreter. Of the statements it names one for each side
/// that granted, and one for the boundary and for the session policies that let it pass; or one
/// that denied. [`explain`] names all.
///
/// [`explain`]: crate::policy::explain()
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct CompiledDecision<'a> {
    effect: Effect,
    layer: Layer,
    /// The caller's account.
    account: Option<AccountId>,
    matched: [Option<StatementRef<'a>>; 4],
}

impl<'a> CompiledDecision<'a> {
    /// The answer.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// Whether the request is allowed.
    pub fn is_allowed(&self) -> bool {
        self.effect == Effect::Allow
    }

    /// The layer that decided.
    pub fn layer(&self) -> Layer {
        self.layer
    }

    /// The statements that made it: none for an implicit deny, never none for another.
    pub fn matched(&self) -> impl Iterator<Item = StatementRef<'a>> {
        self.matched.into_iter().flatten()
    }

    /// The same as a decision that stands by itself.
    pub fn to_decision(&self) -> Decision {
        let matched = || self.matched().map(|one| one.to_matched(self.account)).collect();
        match self.effect {
            Effect::Allow => Decision::allow(matched(), Vec::new(), self.layer),
            Effect::ExplicitDeny => {
                Decision::denied(matched()).unwrap_or_else(|| Decision::implicit(self.layer))
            }
            Effect::ImplicitDeny => Decision::implicit(self.layer),
        }
    }

    /// INVARIANT (not denied is not allowed): the one place where an allow is made. It takes the
    /// statements that grant, and denies when there are none.
    fn allow(
        account: Option<AccountId>,
        grants: Grants<'a>,
        passed: [Option<StatementRef<'a>>; 2],
        otherwise: Layer,
    ) -> Self {
        let Some(layer) = grants.iter().flatten().next().map(StatementRef::layer) else {
            return Self::implicit(otherwise);
        };
        let ([mine, theirs], [boundary, session]) = (grants, passed);
        Self { effect: Effect::Allow, layer, account, matched: [mine, theirs, boundary, session] }
    }

    fn denied(deny: StatementRef<'a>) -> Self {
        Self {
            effect: Effect::ExplicitDeny,
            layer: deny.layer,
            account: None,
            matched: [Some(deny), None, None, None],
        }
    }

    fn implicit(layer: Layer) -> Self {
        Self { effect: Effect::ImplicitDeny, layer, account: None, matched: [None; 4] }
    }
}

/// Decides an ordinary request, as [`policy::decide`] does.
///
/// [`policy::decide`]: crate::policy::decide()
pub fn decide<'a>(request: &Request<'_>, layers: &CompiledLayers<'a>) -> CompiledDecision<'a> {
    judge(request, layers, layers.resource, Layer::Resource)
        .unwrap_or_else(CompiledDecision::denied)
}

/// Decides whether a role's trust policy gives the role to the caller, as
/// [`policy::decide_trust`] does.
///
/// [`policy::decide_trust`]: crate::policy::decide_trust
pub fn decide_trust<'a>(
    request: &Request<'_>,
    trust: CompiledNamed<'a>,
    layers: &CompiledLayers<'a>,
) -> CompiledDecision<'a> {
    judge(request, layers, Some(trust), Layer::Trust).unwrap_or_else(CompiledDecision::denied)
}

/// The question to every layer.
struct Question<'q> {
    facts: Facts<'q>,
    action: Action<'q>,
}

/// A layer's first statement that allows; or one that denies, which is final.
type Answer<'a> = Result<Option<StatementRef<'a>>, StatementRef<'a>>;

/// The caller's side, and the owner's.
type Grants<'a> = [Option<StatementRef<'a>>; 2];

impl Question<'_> {
    #[inline]
    fn one<'a>(&self, core: &'a Core, name: Name<'a>, layer: Layer, wanted: bool) -> Answer<'a> {
        let found = core.index.find(&self.action);
        let first = |allows: bool| {
            let mut first = None;
            found.first(allows, &self.facts, layer, |statement: &'a Statement, _| {
                first = Some(statement);
                true
            });
            first
        };
        let refer = |statement| StatementRef {
            policy: name.of(statement),
            statement: Some(statement),
            layer,
        };
        if let Some(deny) = first(false) {
            return Err(refer(deny));
        }
        Ok(if wanted { first(true).map(refer) } else { None })
    }

    #[inline]
    fn ask<'a>(&self, policies: CompiledLayer<'a>, layer: Layer) -> Answer<'a> {
        match policies {
            CompiledLayer::Set(set) => self.one(&set.core, Name::Member(&set.names), layer, true),
            CompiledLayer::List(list) => {
                let mut allow = None;
                for named in list {
                    let name = Name::Whole(named.name);
                    let found = self.one(&named.policy.core, name, layer, allow.is_none())?;
                    allow = allow.or(found);
                }
                Ok(allow)
            }
        }
    }

    #[inline]
    fn ask_one<'a>(&self, policy: Option<CompiledNamed<'a>>, layer: Layer) -> Answer<'a> {
        match policy {
            Some(CompiledNamed { name, policy }) => {
                self.one(&policy.core, Name::Whole(name), layer, true)
            }
            None => Ok(None),
        }
    }

    /// Whether every level allows.
    #[inline]
    fn levels<'a>(
        &self,
        levels: &[CompiledLayer<'a>],
        layer: Layer,
    ) -> Result<bool, StatementRef<'a>> {
        let mut all = true;
        for level in levels {
            all &= self.ask(*level, layer)?.is_some();
        }
        Ok(all)
    }

    /// The owner's statements that allow, the first of each reach.
    #[inline]
    fn owner<'a>(
        &self,
        owner: Option<CompiledNamed<'a>>,
        layer: Layer,
    ) -> Result<Owner<'a>, StatementRef<'a>> {
        let Some(CompiledNamed { name, policy }) = owner else {
            return Ok(Owner { name: "", layer, allows: Reaches::default() });
        };
        // Its denies first.
        self.one(&policy.core, Name::Whole(name), layer, false)?;
        let mut allows = Reaches::default();
        policy.core.index.find(&self.action).first(true, &self.facts, layer, |statement, reach| {
            allows.slot(reach).get_or_insert(statement);
            false
        });
        Ok(Owner { name, layer, allows })
    }
}

/// What a statement's policy is called.
#[derive(Clone, Copy)]
enum Name<'a> {
    Whole(&'a str),
    Member(&'a [Box<str>]),
}

impl<'a> Name<'a> {
    fn of(self, statement: &Statement) -> &'a str {
        match self {
            Self::Whole(name) => name,
            Self::Member(names) => {
                names.get(statement.member as usize).map(|name| &**name).unwrap_or_default()
            }
        }
    }
}

/// What the owner's policy says.
struct Owner<'a> {
    name: &'a str,
    layer: Layer,
    allows: Reaches<'a>,
}

/// The first statements that allow, by how far they carry.
#[derive(Clone, Copy, Default)]
struct Reaches<'a> {
    account: Option<&'a Statement>,
    limited: Option<&'a Statement>,
    user: Option<&'a Statement>,
    session: Option<&'a Statement>,
}

impl<'a> Reaches<'a> {
    fn slot(&mut self, reach: Reach) -> &mut Option<&'a Statement> {
        match reach {
            Reach::Account => &mut self.account,
            Reach::Limited => &mut self.limited,
            Reach::User => &mut self.user,
            Reach::Session => &mut self.session,
        }
    }

    fn by_name(&self) -> Option<&'a Statement> {
        self.session.or(self.user).or(self.limited)
    }
}

impl<'a> Owner<'a> {
    fn refer(&self, statement: Option<&'a Statement>) -> Option<StatementRef<'a>> {
        statement.map(|_| StatementRef { policy: self.name, statement, layer: self.layer })
    }

    fn any(&self) -> Option<StatementRef<'a>> {
        self.refer(self.allows.by_name().or(self.allows.account))
    }
}

/// What the caller's own policies say.
struct OwnSide<'a> {
    identity: Option<StatementRef<'a>>,
    boundary: bool,
    session: bool,
}

impl<'a> OwnSide<'a> {
    /// What grants, or the layer that does not allow.
    fn verdict(&self) -> Result<StatementRef<'a>, Layer> {
        match self.identity {
            None => Err(Layer::Identity),
            Some(_) if !self.boundary => Err(Layer::Boundary),
            Some(_) if !self.session => Err(Layer::Session),
            Some(grant) => Ok(grant),
        }
    }
}

fn judge<'a>(
    request: &Request<'_>,
    layers: &CompiledLayers<'a>,
    owner: Option<CompiledNamed<'a>>,
    owner_layer: Layer,
) -> Result<CompiledDecision<'a>, StatementRef<'a>> {
    let caller = request.caller;
    let question = Question {
        facts: Facts { request: *request, has_boundary: layers.boundary.is_some() },
        action: Action::new(request.action),
    };
    // An explicit deny anywhere is final, and leaves by the question marks. So every layer is asked
    // before any lack of an allow counts.
    let service_control = question.levels(layers.service_control, Layer::ServiceControl)?;
    let resource_control = question.levels(layers.resource_control, Layer::ResourceControl)?;
    let owner = question.owner(owner, owner_layer)?;
    let identity = question.ask(layers.identity, Layer::Identity)?;
    let boundary = question.ask_one(layers.boundary, Layer::Boundary)?;
    let session = match layers.session {
        Some(policies) => question.ask(policies, Layer::Session)?,
        None => None,
    };

    let implicit = |layer| Ok(CompiledDecision::implicit(layer));
    if !service_control {
        return implicit(Layer::ServiceControl);
    }
    if !resource_control {
        return implicit(Layer::ResourceControl);
    }
    let root = match caller {
        Caller::Root { .. } | Caller::FederatedUser { maker: FederationMaker::Root, .. } => {
            Some(StatementRef { policy: "", statement: None, layer: Layer::Root })
        }
        _ => None,
    };
    let own = OwnSide {
        identity: root.or(identity),
        boundary: layers.boundary.is_none() || boundary.is_some(),
        session: match layers.session {
            Some(_) => session.is_some(),
            // A federated user has what its session policies give it, and nothing without.
            None => !matches!(caller, Caller::FederatedUser { .. }),
        },
    };
    let account = caller.account();
    let grants = match account {
        // Outside every account there is only the owner's word.
        None => owner.any().map(|grant| [Some(grant), None]).ok_or(owner_layer),
        Some(account) if account != layers.resource_account => match (own.verdict(), owner.any()) {
            (Ok(mine), Some(theirs)) => Ok([Some(mine), Some(theirs)]),
            (Ok(_), None) => Err(owner_layer),
            (Err(layer), _) => Err(layer),
        },
        Some(_) => within_account(&own, &owner, owner_layer),
    };
    match grants {
        Ok(grants) => {
            Ok(CompiledDecision::allow(account, grants, [boundary, session], owner_layer))
        }
        Err(layer) => implicit(layer),
    }
}

/// Caller and resource in one account.
fn within_account<'a>(
    own: &OwnSide<'a>,
    owner: &Owner<'a>,
    owner_layer: Layer,
) -> Result<Grants<'a>, Layer> {
    let verdict = own.verdict();
    let allows = owner.allows;
    let by_owner = (allows.session)
        .or_else(|| allows.user.filter(|_| own.session))
        .or_else(|| allows.limited.filter(|_| own.session && own.boundary))
        .or_else(|| allows.account.filter(|_| verdict.is_ok()));
    let by_owner = owner.refer(by_owner);
    let is_trust = owner_layer == Layer::Trust;
    match (verdict, by_owner) {
        (Ok(mine), Some(theirs)) => Ok([Some(mine), Some(theirs)]),
        (Err(_), Some(theirs)) => Ok([None, Some(theirs)]),
        // A trust policy has to allow by itself; other resources leave it to the identity.
        (Ok(mine), None) if !is_trust => Ok([Some(mine), None]),
        (Ok(_), None) => Err(owner_layer),
        (Err(_), None) if is_trust && owner.any().is_none() => Err(owner_layer),
        // The owner's policy would do without the identity, but not without the limits.
        (Err(Layer::Identity), None) if allows.by_name().is_some() => {
            Err(if own.boundary { Layer::Session } else { Layer::Boundary })
        }
        (Err(layer), None) => Err(layer),
    }
}
