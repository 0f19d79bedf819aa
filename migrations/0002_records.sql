-- Records that PICSWeb sends, the feed of changes, and the webhooks that deliver it.

-- Learners, officers and organisations. Each is one sealed JSON document: learners' documents hold
-- health data and National Insurance numbers.
--
-- No foreign key to providers: checking it took a third of an import. Whoever writes a record has a
-- token, and so a provider.
create table records (
    provider_id uuid not null,
    kind text not null check (kind in ('learner', 'officer', 'organisation')),
    -- PICSWeb's id.
    record_id text collate "C" not null,
    sealed bytea not null,
    -- Learners only. The provider's id is part of both HMACs: providers share no value.
    uln_index bytea,
    -- First name, last name and birth date.
    person_index bytea,
    -- The record that is read together with this one: a learner's employer, an organisation's main
    -- contact.
    refers_to text collate "C",
    -- Counts the writes. With `created_at` it makes the record's ETag.
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (provider_id, kind, record_id)
);
-- A hash index: HMACs have no useful order, and a B-tree writes each one to another page. For an
-- import of 10,000 learners the B-tree took 28 ms, and the hash index takes 9 ms.
create index records_by_uln on records using hash (uln_index);

-- Everything that changed, written in the transaction that changed it.
--
-- Transactions commit in another order than their ids. A leader therefore gives committed rows
-- their `position` afterwards, and readers of the feed go by position.
-- No foreign key to providers, as with records.
create table changes (
    -- Also the `webhook-id` of its deliveries.
    id uuid primary key,
    provider_id uuid not null,
    -- From the sequence `changes_position`. Null: not placed yet.
    position bigint,
    -- Such as `ace360.uploaded`.
    type text not null,
    subject_kind text not null,
    subject_id text collate "C" not null,
    at timestamptz not null,
    sealed_data bytea not null
);
create unique index changes_feed on changes (provider_id, position);
create index changes_unplaced on changes (id) where position is null;
-- Erasing a learner deletes its changes.
create index changes_of_subject on changes (provider_id, subject_kind, subject_id);
create sequence changes_position;

-- Where a provider's changes are delivered.
create table webhooks (
    id uuid primary key,
    provider_id uuid not null references providers on delete cascade,
    -- Address and description: an address may contain a token of the receiver's.
    sealed_target bytea not null,
    -- The current secret, and earlier ones that are still valid, each with its end.
    sealed_secrets bytea not null,
    -- Types of changes that are delivered. Empty: all types.
    types text[] not null default '{}',
    enabled boolean not null,
    -- Why and when the service disabled the webhook. Null: it did not.
    disabled_reason text,
    disabled_at timestamptz,
    -- The first failure since the last success.
    failing_since timestamptz,
    -- Calls in a row that got no answer. Because of them, or because the receiver asked for it,
    -- nothing is sent until `rests_until`.
    unanswered integer not null default 0,
    rests_until timestamptz,
    -- One worker at a time delivers to a webhook, so that its deliveries keep their order.
    claim uuid,
    claimed_until timestamptz,
    -- The webhook that was served longest ago is served next.
    served_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index webhooks_of_provider on webhooks (provider_id, id);

-- Deliveries of changes to webhooks. The body is made from the change when it is sent. A delivery
-- is deleted with its change, and so with the learner that the change is about.
create table webhook_deliveries (
    webhook_id uuid not null references webhooks on delete cascade,
    -- The receiver's `webhook-id`: the change's id, or an id of its own for a test.
    id uuid not null,
    -- Null: a test.
    change_id uuid references changes on delete cascade,
    -- The change's position in the feed. 0: a test.
    position bigint not null,
    state text not null check (state in ('pending', 'delivered', 'failed')),
    -- Attempts since the delivery was created, or since it was asked for again.
    attempts integer not null default 0,
    first_attempt_at timestamptz,
    last_attempt_at timestamptz,
    -- The time of the next attempt. Null unless pending.
    due_at timestamptz,
    -- HTTP status of the last answer.
    last_status integer,
    -- Why the last attempt failed, in our words.
    error text,
    created_at timestamptz not null,
    primary key (webhook_id, id)
);
create index webhook_deliveries_in_order on webhook_deliveries (webhook_id, position, id)
    where state = 'pending';
create index webhook_deliveries_due on webhook_deliveries (webhook_id, due_at)
    where state = 'pending';
create index webhook_deliveries_of_change on webhook_deliveries (change_id);
