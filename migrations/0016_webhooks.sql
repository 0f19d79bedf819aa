-- Who is told of changes, and what became of each telling. Bodies are not kept: a delivery refers to its change, goes with it,
-- and so with the learner that the change is about.
create table webhooks (
    id uuid primary key,
    provider_id uuid not null references providers on delete cascade,
    -- Address and description: an address may hold a token of the receiver's.
    sealed_target bytea not null,
    -- The present secret, and older ones that are still good, each with its end.
    sealed_secrets bytea not null,
    -- Empty: all types.
    types text[] not null default '{}',
    enabled boolean not null,
    -- Why the service switched it off; null: it did not.
    disabled_reason text,
    disabled_at timestamptz,
    -- The first failure since the last success.
    failing_since timestamptz,
    -- Calls in a row that got no answer, and until when nothing is sent because of them, or because the receiver asked for it.
    unanswered integer not null default 0,
    rests_until timestamptz,
    -- One worker at a time delivers to a webhook, so that its deliveries go out in order; until then nobody else may.
    claim uuid,
    claimed_until timestamptz,
    -- Whose turn was longest ago comes first.
    served_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index webhooks_of_provider on webhooks (provider_id, id);

create table webhook_deliveries (
    webhook_id uuid not null references webhooks on delete cascade,
    -- The receiver's `webhook-id`: the change's id, or a test's own.
    id uuid not null,
    -- Null: a test.
    change_id uuid references changes on delete cascade,
    -- The change's place in the feed; 0: a test.
    position bigint not null,
    state text not null check (state in ('pending', 'delivered', 'failed')),
    -- Since it was made, or asked for again.
    attempts integer not null default 0,
    first_attempt_at timestamptz,
    last_attempt_at timestamptz,
    -- When it may be tried; null unless pending.
    due_at timestamptz,
    last_status integer,
    -- In our words.
    error text,
    created_at timestamptz not null,
    primary key (webhook_id, id)
);
create index webhook_deliveries_in_order on webhook_deliveries (webhook_id, position, id) where state = 'pending';
create index webhook_deliveries_due on webhook_deliveries (webhook_id, due_at) where state = 'pending';
create index webhook_deliveries_of_change on webhook_deliveries (change_id);
