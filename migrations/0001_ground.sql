-- What all other tables stand on: the shared clock, secrets, providers, tokens, processes,
-- idempotency keys and the audit.
--
-- Until version 1.0 these files are edited in place: each says what a table is today, and nothing
-- about what it was. A database that was made by other files is refused (src/store/migrate.rs).
--
-- For all files:
--   * Text states and kinds are camelCase, as the API writes them.
--   * `sealed…` columns hold AES-256-GCM ciphertext (src/seal). The first 5 bytes name the key.
--   * `…_index` columns are blind indexes: HMACs that find a value which is stored only sealed.
--   * Ids that are compared or joined have the collation "C": the database's own collation would
--     order them in another way, and an index cannot serve a join over two collations.
--   * A claim or lease is an id (who holds it) and a time (until when nobody else takes it).

-- The time that processes share is this machine's clock plus `ahead`. `ahead` is zero in service.
-- Tests move it, so that they test leases, schedules and limits without waiting.
create table clock (
    only_row boolean primary key default true check (only_row),
    ahead interval not null default '0'
);
insert into clock default values;

-- PL/pgSQL, because a connection plans it once. PostgreSQL plans a function in SQL again in each
-- statement that calls it.
create function app_now() returns timestamptz language plpgsql stable parallel safe
    as $$ begin return clock_timestamp() + (select ahead from clock); end $$;

-- Secrets of this installation: the key of the blind indexes. Rotation seals it again with the new
-- master key, and does not replace it.
create table secrets (
    name text primary key,
    sealed bytea not null,
    created_at timestamptz not null default app_now()
);

-- The Ed25519 keys that sign API tokens.
create table signing_keys (
    -- The `kid` in the header of each token.
    kid text primary key,
    public_key bytea not null,
    sealed_private bytea not null,
    created_at timestamptz not null default app_now()
);

-- Training providers. All other data belongs to one of them. Providers are never deleted.
create table providers (
    id uuid primary key,
    -- Names appear in URLs and commands.
    name text not null unique check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    -- The last position of the change feed that retention removed. A reader whose position is
    -- before it has missed changes, and is told so.
    changes_swept_to bigint not null default 0,
    created_at timestamptz not null default app_now()
);

-- API tokens that were issued. The token itself is not stored: its signature proves it.
create table tokens (
    -- The token's `jti`.
    id uuid primary key,
    provider_id uuid not null references providers on delete cascade,
    -- The token that issued it, which it does not outlive. Null: the command line or a user did.
    parent_id uuid references tokens on delete cascade,
    -- What the token is for, for people.
    name text not null,
    -- Such as `records:read`.
    scopes text[] not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    last_used_at timestamptz
);
create index tokens_of_provider on tokens (provider_id, id);
create index tokens_of_parent on tokens (parent_id);
-- Every process reads the revoked tokens once a second, without those that have expired.
create index tokens_revoked on tokens (expires_at) where revoked_at is not null;

-- The processes that run now. Each updates its row every 30 seconds. Key rotation looks here: it
-- must not seal with a key that a running process lacks.
create table processes (
    id uuid primary key,
    -- Whether the process works jobs.
    works boolean not null,
    -- The ids of the master keys that the process has.
    key_ids text[] not null,
    started_at timestamptz not null,
    seen_at timestamptz not null
);

-- Answers to calls with an `Idempotency-Key`, kept for a day. The same call with the same key gets
-- the stored answer.
create table idempotency_keys (
    provider_id uuid not null references providers on delete cascade,
    token_id uuid not null,
    -- SHA-256 of the key: the key itself may contain anything.
    key_hash bytea not null,
    -- SHA-256 of the request. Another request with the same key is refused.
    request_hash bytea not null,
    -- The id of what this call creates. A call that is repeated after its process died therefore
    -- creates it once.
    derived_id uuid not null,
    -- The claim of the process that works on the call. Null: there is an answer.
    claim uuid,
    claimed_until timestamptz,
    -- HTTP status of the answer.
    status integer,
    -- Null although there is a status: the answer contained a secret, and is not stored.
    sealed_answer bytea,
    -- Erasing this learner deletes the answer. `*`: the answer may name any learner.
    about text,
    created_at timestamptz not null,
    primary key (provider_id, token_id, key_hash)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);

-- Who did what. Ids only and nothing personal: rows outlive the erasure of a learner.
create table audit (
    id uuid not null,
    provider_id uuid not null,
    at timestamptz not null,
    -- `token:<jti>`, `user:<sub>`, `run:<id>` or `cli`.
    actor text not null,
    -- Such as `record.put`, or the method and route of a refused call.
    action text not null,
    subject_kind text,
    subject_id text collate "C",
    -- All subjects of an import. One row for each of its records would take half of its time.
    subject_ids text[],
    request_id text,
    -- The caller's network address, where it is known.
    address text,
    -- The problem code of a refused call. Null: the call was carried out.
    refused text,
    -- How many calls this row stands for: calls that are refused often are counted in one row.
    calls integer not null default 1,
    -- Why a person overrode a check, and who the person is (the token belongs to a system).
    reason text,
    person text,
    primary key (provider_id, id)
);
-- One index for each filter of the list, newest first. Most rows are of `record.put`: a list of
-- these needs no index.
create index audit_by_actor on audit (provider_id, actor, id);
create index audit_by_subject on audit (provider_id, subject_id, id) where subject_id is not null;
create index audit_by_action on audit (provider_id, action, id) where action <> 'record.put';
-- A list of one subject's rows also searches the `subject_ids` of the few rows that have them.
create index audit_of_many on audit (provider_id, id) where subject_ids is not null;

-- Rows are added and never changed. Retention alone deletes rows, and sets
-- `picsbridge.retention` in its transaction.
create function audit_is_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and current_setting('picsbridge.retention', true) = 'on' then
        return null;
    end if;
    raise exception 'the audit is append-only' using errcode = 'insufficient_privilege';
end $$;
create trigger audit_is_append_only before update or delete or truncate on audit
    for each statement execute function audit_is_append_only();
