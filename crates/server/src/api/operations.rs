//! Every operation that the server knows: what its description and its page are made of.

mod parts;

use parts::{
    AFTER, AS_OF, BEFORE, LIMIT, READ, READ_AT, READ_LIST, READ_ONE, READ_PART, RESTATED,
    WITH_BODY, WITH_BODY_OF_ONE, get, parameter,
};
pub(super) use parts::{IN_PATHS, Needs, Operation, Parameter};

/// Every operation.
pub(super) const OPERATIONS: [Operation; 39] = [
    Operation {
        details: "Sorted by id. The whole e-mail of a guest, or one that files named together with an \
                  id, finds whom it stands for; nobody finds one by its beginning. With `where` a page may have fewer than `limit`, or none, and go on: \
                  it ends when 20,000 customers were looked at.",
        query: &[
            parameter(
                "q",
                "string",
                "What customer ids begin with, or a whole e-mail.",
            ),
            parameter("segment", "string", "In this segment only."),
            parameter(
                "where",
                "string",
                "Whom this rule would have only, such as `orders >= 3 and plan = 'pro'`.",
            ),
            LIMIT,
            AFTER,
        ],
        ..get(
            "/api/v1/customers",
            "searchCustomers",
            "Customers",
            "Search customers",
            READ_PART,
        )
    },
    Operation {
        details: "Traits, declared traits, those of their account, orders, and the segments that \
                  they are in, with since when. No personal data. With `as_of` today's rules and \
                  settings on what was known at that moment: the answer has scores too, and no \
                  `since`. The first question about a moment folds all history beside everything \
                  else, one moment at a time.",
        query: &[AS_OF, RESTATED],
        ..get(
            "/api/v1/customers/{customer}",
            "showCustomer",
            "Customer",
            "A customer, now or at a past moment",
            READ_AT,
        )
    },
    Operation {
        details: "Events, and the orders of imported files; the latest first. Personal data is \
                  left out.",
        query: &[LIMIT, BEFORE],
        ..get(
            "/api/v1/customers/{customer}/timeline",
            "customerTimeline",
            "Timeline",
            "What happened to a customer",
            READ_PART,
        )
    },
    Operation {
        details: "Each condition with its value, and when it changes next if nothing happens. \
                  With `as_of` as of a customer.",
        query: &[AS_OF, RESTATED],
        ..get(
            "/api/v1/customers/{customer}/segments/{segment}",
            "explainMembership",
            "Explained",
            "Why a customer is in a segment or not",
            READ_AT,
        )
    },
    Operation {
        details: "As it was recorded, with exact times and causes; those that began last first. \
                  Who was in a segment before anything was recorded has no `entered_at`; such \
                  stays come last. What was recorded of customers who turned out to be this one \
                  is among them, with the id of then.",
        query: &[
            parameter("segment", "string", "In this segment only."),
            BEFORE,
            LIMIT,
        ],
        ..get(
            "/api/v1/customers/{customer}/memberships",
            "customerMemberships",
            "Memberships",
            "From when to when a customer was in which segment",
            READ_PART,
        )
    },
    Operation {
        details: "The earliest first: what was merged, refused and parted, by which event, rule and \
                  write key, and why. The first page has the names. They are e-mail addresses and \
                  devices, too, which is why it takes an admin.",
        needs: Needs::Admin,
        query: &[LIMIT, AFTER],
        ..get(
            "/api/v1/customers/{customer}/identity",
            "customerIdentity",
            "Identity",
            "The names of a customer, and how they came to be theirs",
            READ_PART,
        )
    },
    Operation {
        method: "post",
        details: "The name in the path stands for itself from then on, and for ever, with all names \
                  that were merged into it and with what was told and bought under them.",
        needs: Needs::Admin,
        query: &[parameter(
            "kind",
            "string",
            "What the name is, where several kinds read alike: `customer_id`, `email`, \
             `anonymous_id`, `previous_id`.",
        )],
        ..get(
            "/api/v1/customers/{customer}/unmerge",
            "unmergeCustomer",
            "Unmerged",
            "Part a name from the customer whom it was merged into",
            READ_PART,
        )
    },
    Operation {
        details: "Those that a `group` call named, sorted by id.",
        query: &[LIMIT, AFTER],
        ..get(
            "/api/v1/accounts",
            "listAccounts",
            "Accounts",
            "Every account with what its customers come to",
            READ_LIST,
        )
    },
    Operation {
        details: "What `group` calls say of it, and what its customers come to.",
        ..get(
            "/api/v1/accounts/{account}",
            "showAccount",
            "Account",
            "An account now",
            READ_ONE,
        )
    },
    Operation {
        details: "Sorted by id.",
        query: &[LIMIT, AFTER],
        ..get(
            "/api/v1/accounts/{account}/customers",
            "accountCustomers",
            "Members",
            "Who belongs to an account",
            READ_PART,
        )
    },
    get(
        "/api/v1/segments",
        "listSegments",
        "Segments",
        "Every segment with its size",
        READ,
    ),
    get(
        "/api/v1/segments/{segment}",
        "showSegment",
        "Segment",
        "A segment",
        READ_ONE,
    ),
    Operation {
        details: "Sorted by id.",
        query: &[LIMIT, AFTER],
        ..get(
            "/api/v1/segments/{segment}/members",
            "segmentMembers",
            "Members",
            "Who is in a segment",
            READ_PART,
        )
    },
    Operation {
        details: "As it was recorded, by the instants of the flips. The first interval begins at \
                  `since`, the others at days or hours of the workspace's time zone.",
        query: &[
            parameter(
                "since",
                "string",
                "From this instant on; 30 days before `until` when nothing is said.",
            ),
            parameter(
                "until",
                "string",
                "Before this instant; now when nothing is said.",
            ),
            parameter(
                "by",
                "string",
                "`day` or `hour`; `day` when nothing is said. At most 1,000 intervals.",
            ),
        ],
        ..get(
            "/api/v1/segments/{segment}/history",
            "segmentHistory",
            "SegmentHistory",
            "How many entered and left a segment",
            READ_PART,
        )
    },
    Operation {
        method: "put",
        details: "Written to `segments/NAME.toml` of the workspace. The answer comes when everyone \
                  who belongs to it is in it, after all of their history; events wait meanwhile. \
                  Who enters or leaves does so with cause `definition`.",
        needs: Needs::Analyst,
        body: Some("SegmentDraft"),
        answer: (204, None),
        ..get(
            "/api/v1/segments/{segment}",
            "defineSegment",
            "",
            "Make or change a segment",
            &[400, 401, 403, 408, 409, 413, 415, 503],
        )
    },
    Operation {
        method: "delete",
        details: "The answer comes when everyone has left it. A ready-made segment that it \
                  replaced is there again.",
        needs: Needs::Analyst,
        answer: (204, None),
        ..get(
            "/api/v1/segments/{segment}",
            "removeSegment",
            "",
            "Remove a segment",
            &[400, 401, 403, 404, 409, 503],
        )
    },
    Operation {
        method: "post",
        details: "Tries a rule on everyone, over all of their history. Among a million customers \
                  this takes a while; events are taken meanwhile.",
        body: Some("Rule"),
        ..get(
            "/api/v1/segments/preview",
            "previewRule",
            "Previewed",
            "How many customers a rule would have",
            WITH_BODY,
        )
    },
    Operation {
        details: "The latest first, all that were ever recorded.",
        query: &[
            parameter(
                "since",
                "string",
                "Recorded at or after this instant (RFC 3339).",
            ),
            parameter("segment", "string", "Of this segment only."),
            parameter("customer", "string", "Of this customer only."),
            BEFORE,
            LIMIT,
        ],
        ..get(
            "/api/v1/transitions",
            "listTransitions",
            "Transitions",
            "Who moved where, when and why",
            READ_PART,
        )
    },
    Operation {
        needs: Needs::Admin,
        ..get("/api/v1/keys", "listKeys", "Grants", "Write keys", READ)
    },
    Operation {
        method: "post",
        details: "The secret is in this answer and nowhere else.",
        needs: Needs::Admin,
        body: Some("NewKey"),
        answer: (201, Some("NewGrant")),
        ..get("/api/v1/keys", "makeKey", "", "Make a write key", WITH_BODY)
    },
    Operation {
        method: "delete",
        needs: Needs::Admin,
        answer: (204, None),
        ..get(
            "/api/v1/keys/{id}",
            "revokeKey",
            "",
            "Take a write key back",
            READ_ONE,
        )
    },
    Operation {
        needs: Needs::Admin,
        ..get("/api/v1/tokens", "listTokens", "Grants", "API tokens", READ)
    },
    Operation {
        method: "post",
        details: "The secret is in this answer and nowhere else.",
        needs: Needs::Admin,
        body: Some("NewToken"),
        answer: (201, Some("NewGrant")),
        ..get(
            "/api/v1/tokens",
            "makeToken",
            "",
            "Make an API token",
            WITH_BODY,
        )
    },
    Operation {
        method: "delete",
        needs: Needs::Admin,
        answer: (204, None),
        ..get(
            "/api/v1/tokens/{id}",
            "revokeToken",
            "",
            "Take an API token back",
            READ_ONE,
        )
    },
    get(
        "/api/v1/destinations",
        "listDestinations",
        "Destinations",
        "Where webhooks go",
        READ_ONE,
    ),
    Operation {
        method: "post",
        details: "It gets what happens from now on. The secret is in this answer and nowhere else.",
        needs: Needs::Admin,
        body: Some("NewDestination"),
        answer: (201, Some("WithSecret")),
        ..get(
            "/api/v1/destinations",
            "addDestination",
            "",
            "Add a destination",
            WITH_BODY_OF_ONE,
        )
    },
    Operation {
        method: "delete",
        details: "With all that waits for it.",
        needs: Needs::Admin,
        answer: (204, None),
        ..get(
            "/api/v1/destinations/{id}",
            "removeDestination",
            "",
            "Remove a destination",
            READ_ONE,
        )
    },
    Operation {
        method: "post",
        details: "The one before signs too until the next time. The secret is in this answer and \
                  nowhere else.",
        needs: Needs::Admin,
        ..get(
            "/api/v1/destinations/{id}/rotate",
            "rotateSecret",
            "WithSecret",
            "Give a destination a new secret",
            READ_ONE,
        )
    },
    Operation {
        method: "post",
        details: "After its receiver answered 410.",
        needs: Needs::Admin,
        answer: (204, None),
        ..get(
            "/api/v1/destinations/{id}/enable",
            "enableDestination",
            "",
            "Let a destination send again",
            READ_ONE,
        )
    },
    Operation {
        details: "The latest, the latest last.",
        query: &[
            parameter(
                "failed",
                "boolean",
                "Only those that are dead or expired, or of which an attempt failed.",
            ),
            LIMIT,
        ],
        ..get(
            "/api/v1/deliveries",
            "listDeliveries",
            "Deliveries",
            "What became of webhooks",
            READ_PART,
        )
    },
    Operation {
        details: "The earliest first, those before a replay too, as the log keeps them.",
        ..get(
            "/api/v1/deliveries/{id}/attempts",
            "deliveryAttempts",
            "Attempts",
            "The attempts of a webhook, one by one",
            READ_ONE,
        )
    },
    Operation {
        method: "post",
        details: "One that is dead or expired, with all its attempts.",
        needs: Needs::Admin,
        ..get(
            "/api/v1/deliveries/{id}/replay",
            "replayDelivery",
            "Delivery",
            "Send a webhook again",
            READ_PART,
        )
    },
    Operation {
        method: "post",
        details: "For commands such as `regulars import` on the machine of the server. The answer \
                  is `lent` as soon as the data is free, and does not end: the data is lent as long \
                  as the connection is open. Events wait meanwhile.",
        needs: Needs::Local,
        ..get(
            "/api/v1/workspace/lend",
            "lendWorkspace",
            "Text",
            "Have the data for a while",
            &[401, 403, 409, 503],
        )
    },
    Operation {
        needs: Needs::Nothing,
        ..get(
            "/api/v1/openapi.json",
            "description",
            "Anything",
            "This description",
            &[],
        )
    },
    Operation {
        needs: Needs::Nothing,
        ..get(
            "/api/v1/docs",
            "page",
            "Page",
            "This description as a page",
            &[],
        )
    },
    Operation {
        method: "post",
        details: "The tracking API of Segment; docs/tracking.md describes it. The write key is the \
                  user name of HTTP Basic, or stands in the body as `writeKey`.",
        needs: Needs::WriteKey,
        body: Some("Anything"),
        ..get(
            "/v1/{endpoint}",
            "track",
            "Taken",
            "Send events",
            &[400, 401, 404, 408, 413, 415, 429, 503],
        )
    },
    Operation {
        needs: Needs::Nothing,
        ..get(
            "/v1/projects/{key}/settings",
            "browserSettings",
            "Anything",
            "What the browser library asks first",
            &[401],
        )
    },
    Operation {
        needs: Needs::Nothing,
        ..get(
            "/health",
            "health",
            "Anything",
            "Whether events are taken",
            &[503],
        )
    },
    Operation {
        needs: Needs::Nothing,
        ..get(
            "/metrics",
            "metrics",
            "Text",
            "Counts since the start, for Prometheus",
            &[],
        )
    },
];
