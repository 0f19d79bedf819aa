-- What everything else stands on: the shared clock, providers, keys, tokens, audit.

-- Times that processes share come from here. The offset is zero in service; tests move it,
-- so that leases, schedules and limits are tested without waiting.
create table clock (
    only_row boolean primary key default true check (only_row),
    ahead interval not null default '0'
);
insert into clock default values;

create function app_now() returns timestamptz
    language sql stable parallel safe
    as $$ select clock_timestamp() + ahead from clock $$;

create table providers (
    id uuid primary key,
    name text not null unique check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    -- The last position of the change feed that retention has removed: a reader behind it has missed something.
    changes_swept_to bigint not null default 0,
    created_at timestamptz not null default app_now()
);

-- Secrets of the installation, each sealed with the master key: the key of the blind indexes, which is
-- not rotated with the sealing keys, and the keys that sign tokens.
create table secrets (
    name text primary key,
    sealed bytea not null,
    created_at timestamptz not null default app_now()
);

create table signing_keys (
    kid text primary key,
    public_key bytea not null,
    sealed_private bytea not null,
    created_at timestamptz not null default app_now(),
    retired_at timestamptz
);

-- What was issued. The token itself is never kept: it proves itself by its signature.
create table tokens (
    id uuid primary key,
    provider_id uuid not null references providers on delete cascade,
    name text not null,
    scopes text[] not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    last_used_at timestamptz
);
create index tokens_of_provider on tokens (provider_id, id);
-- Every process asks for these once a second; those past their end need no revocation.
create index tokens_revoked on tokens (expires_at) where revoked_at is not null;

-- Who did what to whom. Ids only: nothing personal stands here, so that it may outlive an erasure.
create table audit (
    id uuid primary key,
    provider_id uuid not null,
    at timestamptz not null,
    actor text not null,
    action text not null,
    subject_kind text,
    subject_id text,
    request_id text
);
create index audit_of_provider on audit (provider_id, id);
