//! All registered services.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::Service;

/// The services that are registered, by name.
#[derive(Clone, Debug, Default)]
pub struct Registry(Arc<[Arc<Service>]>);

/// A service cannot stand in a registry with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is the name of another service too")]
pub struct RegistryError {
    /// The place of the service in the list.
    pub service: usize,
    /// The place of the other one.
    pub other: usize,
}

impl Registry {
    /// A registry of these.
    ///
    /// # Errors
    /// Two have one name.
    pub fn new(services: Vec<Service>) -> Result<Self, RegistryError> {
        for (at, service) in services.iter().enumerate() {
            let before = services.iter().take(at);
            // Case folded: policies do not tell the prefixes of actions apart by case.
            let twin = |other: &Service| other.name().eq_ignore_ascii_case(service.name());
            if let Some(other) = before.into_iter().position(twin) {
                return Err(RegistryError { service: at, other });
            }
        }
        Ok(Self(services.into_iter().map(Arc::new).collect()))
    }

    /// The service of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Service>> {
        self.0.iter().find(|service| service.name() == name)
    }

    /// All services, in the order of the settings.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Service>> {
        self.0.iter()
    }

    /// Whether some service is asked about by principals that sign their questions.
    pub fn has_signing_askers(&self) -> bool {
        self.iter().any(|service| service.asker_policy().is_some())
    }
}

/// The registry in use, replaced as a whole when settings are read again.
#[derive(Debug, Default)]
pub struct Shared(ArcSwap<Registry>);

impl Shared {
    /// With this registry.
    pub fn new(registry: Registry) -> Self {
        Self(ArcSwap::from_pointee(registry))
    }

    /// The registry as it is now. One question is answered by one registry.
    pub fn now(&self) -> Arc<Registry> {
        self.0.load_full()
    }

    /// Puts another in its place, for the questions to come.
    pub fn replace(&self, registry: Registry) {
        self.0.store(Arc::new(registry));
    }
}
