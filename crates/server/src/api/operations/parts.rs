//! What operations are made of.

use regulars_store::access::Role;

/// What a request must carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum Needs {
    /// Nothing.
    Nothing,
    /// A write key.
    WriteKey,
    /// A token of role `read_only`, `analyst` or `admin`.
    Reader,
    /// A token of role `analyst` or `admin`.
    Analyst,
    /// A token of role `admin`.
    Admin,
    /// The token of a running server that commands on its machine use.
    Local,
}

impl Needs {
    /// Roles of tokens that it takes; none when it takes no token that somebody made.
    pub(in crate::api) fn roles(self) -> &'static [Role] {
        match self {
            Self::Nothing | Self::WriteKey | Self::Local => &[],
            Self::Reader => &[Role::ReadOnly, Role::Analyst, Role::Admin],
            Self::Analyst => &[Role::Analyst, Role::Admin],
            Self::Admin => &[Role::Admin],
        }
    }
}

/// A part of the path or of what comes after the question mark.
#[derive(Debug, Clone, Copy)]
pub(in crate::api) struct Parameter {
    pub(in crate::api) name: &'static str,
    /// `boolean`, `integer` or `string`.
    pub(in crate::api) kind: &'static str,
    pub(in crate::api) meaning: &'static str,
}

/// Something that can be asked of the server.
#[derive(Debug, Clone, Copy)]
pub(in crate::api) struct Operation {
    pub(in crate::api) method: &'static str,
    pub(in crate::api) path: &'static str,
    pub(in crate::api) id: &'static str,
    pub(in crate::api) summary: &'static str,
    pub(in crate::api) details: &'static str,
    pub(in crate::api) needs: Needs,
    pub(in crate::api) query: &'static [Parameter],
    /// Name of the schema of the body.
    pub(in crate::api) body: Option<&'static str>,
    /// Status and, if there is a body, the name of its schema.
    pub(in crate::api) answer: (u16, Option<&'static str>),
    /// Statuses of problems.
    pub(in crate::api) problems: &'static [u16],
}

pub(super) const fn parameter(
    name: &'static str,
    kind: &'static str,
    meaning: &'static str,
) -> Parameter {
    Parameter {
        name,
        kind,
        meaning,
    }
}

/// What the parts of paths stand for.
pub(in crate::api) const IN_PATHS: [Parameter; 6] = [
    parameter(
        "customer",
        "string",
        "Your id of the customer, or the e-mail of a guest.",
    ),
    parameter("segment", "string", "Name of the segment."),
    parameter(
        "account",
        "string",
        "Id of the account, the `groupId` of its calls.",
    ),
    parameter(
        "id",
        "string",
        "Id of the key, token, destination or delivery, as the list shows it.",
    ),
    parameter(
        "endpoint",
        "string",
        "`identify`, `track`, `page`, `screen`, `group`, `alias`, `batch`, or the first letter.",
    ),
    parameter("key", "string", "A write key."),
];

pub(super) const LIMIT: Parameter = parameter(
    "limit",
    "integer",
    "At most so many; 100 when nothing is said.",
);
pub(super) const AFTER: Parameter =
    parameter("after", "string", "What `next` was in the answer before.");
pub(super) const BEFORE: Parameter =
    parameter("before", "string", "What `next` was in the answer before.");
pub(super) const AS_OF: Parameter = parameter(
    "as_of",
    "string",
    "The moment that \"now\" means (RFC 3339); now when nothing is said.",
);
pub(super) const RESTATED: Parameter = parameter(
    "restated",
    "boolean",
    "Score a past moment with the latest fit instead of the one that was in use then.",
);
pub(super) const READ_AT: &[u16] = &[400, 401, 403, 404, 409, 503];
pub(super) const READ: &[u16] = &[401, 403, 503];
pub(super) const READ_ONE: &[u16] = &[401, 403, 404, 503];
pub(super) const WITH_BODY: &[u16] = &[400, 401, 403, 408, 413, 415, 503];
pub(super) const WITH_BODY_OF_ONE: &[u16] = &[400, 401, 403, 404, 408, 413, 415, 503];
pub(super) const READ_LIST: &[u16] = &[400, 401, 403, 503];
pub(super) const READ_PART: &[u16] = &[400, 401, 403, 404, 503];

pub(super) const fn get(
    path: &'static str,
    id: &'static str,
    schema: &'static str,
    summary: &'static str,
    problems: &'static [u16],
) -> Operation {
    Operation {
        method: "get",
        path,
        id,
        summary,
        details: "",
        needs: Needs::Reader,
        query: &[],
        body: None,
        answer: (200, Some(schema)),
        problems,
    }
}
