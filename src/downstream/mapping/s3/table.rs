//! The operations, a row each.

/// What an operation works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Service,
    Bucket,
    Object,
}

/// One operation of S3.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) level: Level,
    pub(super) method: &'static str,
    /// The parameters that make it this operation.
    pub(super) subresources: &'static [&'static str],
    /// The parameters that it may have.
    pub(super) parameters: &'static [&'static str],
    pub(super) action: &'static str,
    /// The action where a version is named.
    pub(super) versioned: Option<&'static str>,
    /// An action that it needs besides, and the one where a version is named.
    pub(super) more: Option<(&'static str, &'static str)>,
    /// Whether it reads a body.
    pub(super) has_body: bool,
    /// Whether condition keys of its action stand in its body, which is not read here.
    pub(super) keys_in_body: bool,
    /// Whether its body names a location.
    pub(super) located: bool,
    /// Whether an object is there when it is done, or not: `None` if it writes none.
    pub(super) creates: Option<bool>,
    /// Whether it may copy from a source.
    pub(super) copies: bool,
    /// Whether its headers may set what the new object or bucket has: ACL, tags, locks.
    pub(super) makes: bool,
}

impl Operation {
    /// Whether it may have this parameter.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.subresources.contains(&name) || self.parameters.contains(&name)
    }
}

const fn row(
    level: Level,
    method: &'static str,
    subresources: &'static [&'static str],
    action: &'static str,
) -> Operation {
    Operation {
        level,
        method,
        subresources,
        parameters: &[],
        action,
        versioned: None,
        more: None,
        has_body: false,
        keys_in_body: false,
        located: false,
        creates: None,
        copies: false,
        makes: false,
    }
}

const fn bucket(
    method: &'static str,
    subresources: &'static [&'static str],
    action: &'static str,
) -> Operation {
    row(Level::Bucket, method, subresources, action)
}

const fn object(
    method: &'static str,
    subresources: &'static [&'static str],
    action: &'static str,
) -> Operation {
    row(Level::Object, method, subresources, action)
}

impl Operation {
    const fn with(mut self, parameters: &'static [&'static str]) -> Self {
        self.parameters = parameters;
        self
    }

    const fn versioned(mut self, action: &'static str) -> Self {
        self.versioned = Some(action);
        self
    }

    const fn and(mut self, more: &'static str, versioned: &'static str) -> Self {
        self.more = Some((more, versioned));
        self
    }

    const fn body(mut self) -> Self {
        self.has_body = true;
        self
    }

    const fn keys_in_body(self) -> Self {
        Self { has_body: true, keys_in_body: true, ..self }
    }

    const fn located(self) -> Self {
        Self { has_body: true, located: true, ..self }
    }

    const fn creating(mut self, creates: bool) -> Self {
        self.creates = Some(creates);
        self
    }

    const fn copying(mut self) -> Self {
        self.copies = true;
        self
    }

    const fn making(mut self) -> Self {
        self.makes = true;
        self
    }
}

const VERSION: &[&str] = &["versionId"];
const READ: &[&str] = &[
    "partNumber",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "versionId",
];
const LIST: &[&str] = &["delimiter", "encoding-type", "marker", "max-keys", "prefix"];
const LIST_V2: &[&str] = &[
    "continuation-token",
    "delimiter",
    "encoding-type",
    "fetch-owner",
    "max-keys",
    "prefix",
    "start-after",
];
const LIST_VERSIONS: &[&str] =
    &["delimiter", "encoding-type", "key-marker", "max-keys", "prefix", "version-id-marker"];
const LIST_UPLOADS: &[&str] =
    &["delimiter", "encoding-type", "key-marker", "max-uploads", "prefix", "upload-id-marker"];

/// Every operation that is known here.
pub(super) static OPERATIONS: &[Operation] = &[
    row(Level::Service, "GET", &[], "ListAllMyBuckets").with(&[
        "bucket-region",
        "continuation-token",
        "max-buckets",
        "prefix",
    ]),
    // Buckets.
    bucket("PUT", &[], "CreateBucket").located().making(),
    bucket("DELETE", &[], "DeleteBucket"),
    bucket("HEAD", &[], "ListBucket"),
    bucket("GET", &[], "ListBucket").with(LIST),
    bucket("GET", &["list-type"], "ListBucket").with(LIST_V2),
    bucket("GET", &["versions"], "ListBucketVersions").with(LIST_VERSIONS),
    bucket("GET", &["uploads"], "ListBucketMultipartUploads").with(LIST_UPLOADS),
    bucket("GET", &["location"], "GetBucketLocation"),
    bucket("GET", &["acl"], "GetBucketAcl"),
    bucket("PUT", &["acl"], "PutBucketAcl").body(),
    bucket("GET", &["policy"], "GetBucketPolicy"),
    bucket("PUT", &["policy"], "PutBucketPolicy").body(),
    bucket("DELETE", &["policy"], "DeleteBucketPolicy"),
    bucket("GET", &["policyStatus"], "GetBucketPolicyStatus"),
    bucket("GET", &["tagging"], "GetBucketTagging"),
    bucket("PUT", &["tagging"], "PutBucketTagging").keys_in_body(),
    bucket("DELETE", &["tagging"], "PutBucketTagging"),
    bucket("GET", &["versioning"], "GetBucketVersioning"),
    bucket("PUT", &["versioning"], "PutBucketVersioning").body(),
    bucket("GET", &["cors"], "GetBucketCORS"),
    bucket("PUT", &["cors"], "PutBucketCORS").body(),
    bucket("DELETE", &["cors"], "PutBucketCORS"),
    bucket("GET", &["lifecycle"], "GetLifecycleConfiguration"),
    bucket("PUT", &["lifecycle"], "PutLifecycleConfiguration").body(),
    bucket("DELETE", &["lifecycle"], "PutLifecycleConfiguration"),
    bucket("GET", &["encryption"], "GetEncryptionConfiguration"),
    bucket("PUT", &["encryption"], "PutEncryptionConfiguration").body(),
    bucket("DELETE", &["encryption"], "PutEncryptionConfiguration"),
    bucket("GET", &["notification"], "GetBucketNotification"),
    bucket("PUT", &["notification"], "PutBucketNotification").body(),
    bucket("GET", &["object-lock"], "GetBucketObjectLockConfiguration"),
    bucket("PUT", &["object-lock"], "PutBucketObjectLockConfiguration").keys_in_body(),
    bucket("GET", &["publicAccessBlock"], "GetBucketPublicAccessBlock"),
    bucket("PUT", &["publicAccessBlock"], "PutBucketPublicAccessBlock").body(),
    bucket("DELETE", &["publicAccessBlock"], "PutBucketPublicAccessBlock"),
    bucket("GET", &["ownershipControls"], "GetBucketOwnershipControls"),
    bucket("PUT", &["ownershipControls"], "PutBucketOwnershipControls").body(),
    bucket("DELETE", &["ownershipControls"], "PutBucketOwnershipControls"),
    // Objects.
    object("GET", &[], "GetObject").versioned("GetObjectVersion").with(READ),
    object("HEAD", &[], "GetObject").versioned("GetObjectVersion").with(READ),
    object("PUT", &[], "PutObject").creating(true).body().copying().making(),
    object("DELETE", &[], "DeleteObject").versioned("DeleteObjectVersion").with(VERSION),
    object("GET", &["attributes"], "GetObjectAttributes")
        .versioned("GetObjectVersionAttributes")
        .and("GetObject", "GetObjectVersion")
        .with(VERSION),
    object("GET", &["acl"], "GetObjectAcl").versioned("GetObjectVersionAcl").with(VERSION),
    object("PUT", &["acl"], "PutObjectAcl").versioned("PutObjectVersionAcl").with(VERSION).body(),
    object("GET", &["tagging"], "GetObjectTagging")
        .versioned("GetObjectVersionTagging")
        .with(VERSION),
    object("PUT", &["tagging"], "PutObjectTagging")
        .versioned("PutObjectVersionTagging")
        .with(VERSION)
        .keys_in_body(),
    object("DELETE", &["tagging"], "DeleteObjectTagging")
        .versioned("DeleteObjectVersionTagging")
        .with(VERSION),
    object("GET", &["retention"], "GetObjectRetention").with(VERSION),
    object("PUT", &["retention"], "PutObjectRetention").with(VERSION).keys_in_body(),
    object("GET", &["legal-hold"], "GetObjectLegalHold").with(VERSION),
    object("PUT", &["legal-hold"], "PutObjectLegalHold").with(VERSION).keys_in_body(),
    object("POST", &["restore"], "RestoreObject").with(VERSION).body(),
    // Multipart uploads.
    object("POST", &["uploads"], "PutObject").creating(false).making(),
    object("PUT", &["partNumber", "uploadId"], "PutObject").creating(false).body().copying(),
    object("POST", &["uploadId"], "PutObject").creating(true).body(),
    object("DELETE", &["uploadId"], "AbortMultipartUpload"),
    object("GET", &["uploadId"], "ListMultipartUploadParts").with(&[
        "encoding-type",
        "max-parts",
        "part-number-marker",
    ]),
];
